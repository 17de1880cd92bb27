import { readFileSync } from 'node:fs'
import { defer, of, Subject } from 'rxjs'
import { InvalidCommandError, type StorageError } from '../../errors/errors.ts'
import type { Probe, Probed } from '../../swarm/vocabulary/probe.ts'
import { LogFile } from './logFilePorts.ts'
import type { RecordingClock } from './recordingClock.ts'
import { RecordingLog, type LineTarget } from './recordingLog.ts'
import type { FileSettings } from './recordingOptions.ts'
import type { RecordingEvent, RecordingFileOptions, RecordingPorts, RecordingReport } from './recordingVocabulary.ts'

/** What the module was made with, defaults filled in. */
interface Settings extends Omit<FileSettings, 'path'> {
  readonly path?: string | undefined
  readonly onLine?: ((line: string) => void) | undefined
}

/** The probe of the module, with what its ports need. */
export interface RecordingProbe extends Probe {
  /** Begins a file. @errors `StorageError`, `InvalidCommandError` */
  start(file: FileSettings): void
  /** Ends it; everything is in the file then. */
  stop(): RecordingReport
  /** What the file says of itself. */
  readonly event$: Subject<RecordingEvent>
}

/** Watches a swarm, and records it from its start when there is a path or a listener. */
export function recordingProbe(probed: Probed, settings: Settings): RecordingProbe {
  const { recorder } = probed.scheduler as RecordingClock
  const log = new RecordingLog(recorder, probed)
  const event$ = new Subject<RecordingEvent>()
  let path: string | undefined
  /** Not at once: it comes from within the pipeline. */
  const later = (event: RecordingEvent) => queueMicrotask(() => event$.next(event))
  const reportNow = (): RecordingReport => ({ ...(path === undefined ? {} : { path }), ...log.report })
  const begin = (target: LineTarget, from: 'start' | 'middle') =>
    log.begin(target, from, {
      redact: settings.redact,
      maxChars: settings.maxChars,
      rxswarm: versionOf(),
      onFull: () => later({ type: 'recording:full', report: reportNow() }),
    })
  const failed = (error: StorageError) => {
    log.giveUp()
    later({ type: 'recording:failed', error })
  }
  const open = (file: FileSettings, from: 'start' | 'middle') => {
    const lost = () => later({ type: 'recording:lost', count: log.report.lost })
    begin(new LogFile(file, { failed, lost }), from)
    path = file.path
  }
  if (settings.onLine !== undefined) {
    const { onLine } = settings
    const write = (text: string) => {
      onLine(text)
      return true
    }
    begin({ write, end: () => undefined }, 'start')
  } else if (settings.path !== undefined) {
    try {
      open({ ...settings, path: settings.path }, 'start')
    } catch (error) {
      failed(error as StorageError)
    }
  }
  return {
    ...log.probe(),
    event$,
    start: (file) => {
      if (log.isOn) throw new InvalidCommandError('recording: one is running; stop it first', {})
      settings = { ...file, onLine: undefined }
      open(file, 'middle')
    },
    stop: () => {
      if (!log.isOn) throw new InvalidCommandError('recording: none is running', {})
      log.end()
      return reportNow()
    },
  }
}

/** Recording over files. */
export function recordingPorts(probe: RecordingProbe): RecordingPorts {
  return {
    event$: probe.event$,
    start: (file: RecordingFileOptions) =>
      defer(() => {
        probe.start(file as FileSettings)
        return of({ path: file.path })
      }),
    stop: () => defer(() => of(probe.stop())),
  }
}

let version: string | undefined

function versionOf(): string {
  if (version !== undefined) return version
  try {
    const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
    version = String((JSON.parse(text) as { version?: unknown }).version)
  } catch {
    version = 'unknown'
  }
  return version
}
