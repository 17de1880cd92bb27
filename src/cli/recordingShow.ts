import { openRecording } from '../observability/recording/openRecording.ts'
import type { Recording } from '../observability/recording/readRecording.ts'
import { recordingSummary } from '../observability/recording/recordingSummary.ts'
import { jsonText } from '../security/audit/jsonText.ts'
import type { CliCommand } from './cliCommand.ts'
import { onePositional } from './onePositional.ts'
import { parseFlags } from './parseFlags.ts'

/** `rxswarm recording show`. */
export const recordingShow: CliCommand = {
  name: 'recording show',
  summary: 'tells what is in a recording',
  help: `usage: rxswarm recording show FILE [--json]

Tells who recorded it, when and for how long, which commands and events are in it, and how they are spread over its time.

  FILE     a file of recording(), packed or not
  --json   print it as JSON
  --help   print this

exit status: 0 whole, 1 cut, 2 wrong usage or a file that can't be read, or is not as it was written`,
  async run(args, { out }) {
    const { values, positionals } = parseFlags({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' } },
    })
    const recording = await openRecording(onePositional(positionals))
    const { header, cut, lost, bytes } = recording
    if (values.json === true) out(JSON.stringify({ header, cut, lost, bytes, ...recordingSummary(recording) }))
    else for (const line of told(recording)) out(line)
    return cut === undefined ? 0 : 1
  },
}

function told(recording: Recording): readonly string[] {
  const { header, cut, bytes } = recording
  const { durationMs, lines, events, commands, spans } = recordingSummary(recording)
  const most = Math.max(1, ...spans.map(({ events }) => events))
  const startedAt = new Date(header.startedAt)
  const when = Number.isNaN(startedAt.getTime()) ? String(header.startedAt) : startedAt.toISOString()
  return [
    `${shown(header.self)}, ${when}, ${durationMs} ms from ${header.from === 'start' ? 'its start' : 'the middle of its run'}`,
    `${lines} lines, ${bytes} bytes, by rxswarm ${shown(header.rxswarm)}${header.redacted ? ', without bytes' : ''}`,
    `behaviours: ${header.modules.map(({ name }) => shown(name)).join(', ')}`,
    ...(cut === undefined ? [] : [`CUT: ${cut}`]),
    '',
    'commands',
    ...commands.slice(0, MOST_TYPES).map(counted),
    'events',
    ...events.slice(0, MOST_TYPES).map(counted),
    '',
    '   from ms  commands    inputs    events',
    ...spans.map(
      ({ fromMs, commands, inputs, events }) =>
        `${[fromMs, commands, inputs, events].map((n) => String(n).padStart(10)).join('')}  ${'#'.repeat(Math.ceil((events / most) * WIDEST))}`,
    ),
  ]
}

/** Types that are listed. */
const MOST_TYPES = 30

/** Longest bar. */
const WIDEST = 30

const counted = ([type, count]: readonly [string, number]) => `${String(count).padStart(10)}  ${shown(type)}`

/** Text from a file, safe to print. */
function shown(text: string): string {
  return jsonText(text).slice(1, -1)
}
