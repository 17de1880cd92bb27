import { ping } from 'rxswarm'
import { openRecording, recordingMarbles } from 'rxswarm/observability'

const recorded = await openRecording('node.jsonl')
console.log(recordingMarbles(recorded, { behaviour: 'ping', fromMs: 1_000, toMs: 1_400, use: [ping()] }))
