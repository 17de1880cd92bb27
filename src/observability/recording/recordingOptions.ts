import { z } from 'zod'
import { callable, some } from '../../errors/optionKinds.ts'
import type { RecordingFileOptions } from './recordingVocabulary.ts'

const flag = z.boolean('must be true or false')

const fields = {
  path: z.string('must be the name of a file').min(1, 'must not be empty'),
  overwrite: flag.default(false),
  gzip: flag.default(false),
  redact: flag.default(false),
  maxChars: some.default(128 * 1_024 * 1_024),
  bufferChars: some.default(16 * 1_024 * 1_024),
}

/** Options of a file, with their defaults. */
export const fileSchema = z.strictObject(fields)

/** Options of the module, with their defaults. */
export const recordingSchema = z.strictObject({
  ...fields,
  path: fields.path.optional(),
  onLine: callable<(line: string) => void>().optional(),
})

/** A file's options, with their defaults. */
export type FileSettings = Required<RecordingFileOptions>
