import type { Observable } from 'rxjs'
import type { StorageError } from '../../errors/errors.ts'
import type { Command } from '../../swarm/vocabulary/command.ts'

/** How a recording is written. */
export interface RecordingFileOptions {
  /** The file; readable by its owner alone, because it holds what was sent. */
  readonly path: string
  /** Whether a file that is there already is written over. Default: false, and nothing is recorded then. */
  readonly overwrite?: boolean
  /** Whether it is packed. Default: false. */
  readonly gzip?: boolean
  /** Whether of bytes only their number is kept. Default: false. */
  readonly redact?: boolean
  /** How long the text may become; the recording ends before it would be longer. Default: 128 Mi. @unit characters */
  readonly maxChars?: number
  /** What may wait for the disk; of more, lines are lost and counted. Default: 16 Mi. @unit characters */
  readonly bufferChars?: number
}

/** What a recording came to. */
export interface RecordingReport {
  /** The file, if there is one. */
  readonly path?: string
  /** Lines, the first and the last among them. */
  readonly lines: number
  /** Length of the text. @unit characters */
  readonly chars: number
  /** Lines that found no room. A replay goes as far as the first of them. */
  readonly lost: number
}

/** Begin to record. */
export type StartRecording = Command<
  'recording/start',
  { readonly file: RecordingFileOptions },
  { readonly path: string }
>
/** End the recording. */
export type StopRecording = Command<'recording/stop', object, RecordingReport>
/** What can be asked of recording. */
export type RecordingCommand = StartRecording | StopRecording

/** What recording says. */
export type RecordingEvent =
  | { readonly type: 'recording:started'; readonly path: string; readonly cause?: string }
  | { readonly type: 'recording:stopped'; readonly report: RecordingReport; readonly cause?: string }
  | {
      readonly type: 'recording:lost'
      /** Lines that found no room, since the beginning. */
      readonly count: number
    }
  | { readonly type: 'recording:full'; readonly report: RecordingReport }
  | { readonly type: 'recording:failed'; readonly error: StorageError }

/** What recording may call. */
export interface RecordingPorts {
  /** Begins to write. One value. */
  start(file: RecordingFileOptions): Observable<{ readonly path: string }>
  /** Ends the file. One value, when everything is in it. */
  stop(): Observable<RecordingReport>
  /** What the file says of itself. */
  readonly event$: Observable<RecordingEvent>
}
