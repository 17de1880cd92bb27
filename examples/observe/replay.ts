import { ping } from 'rxswarm'
import { openRecording, replay } from 'rxswarm/observability'

const recorded = await openRecording('node.jsonl')
const { same, diverged, differences, notes } = replay(recorded, { use: [ping()] })
console.log(same, diverged, differences, notes)

const other = replay(recorded, { use: [ping({ policy: { timeout: { timeoutMs: 200 } } })] })
console.log(other.differences)
