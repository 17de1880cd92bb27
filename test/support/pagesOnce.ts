// Serves pages with callers that hang, stops, and must then exit by itself.
import { writeSync } from 'node:fs'
import { dialled, saying, startPages } from './pagesByHand.ts'

const hanging = { path: '/hang', title: 'Never answers', answer: () => undefined }
const { swarm, url, port } = await startPages([saying('/a', 'hello'), hanging])
const text = await (await fetch(`${url}a`)).text()
const silent = await dialled(port)
const asking = fetch(`${url}hang`).catch(() => 'cut off')
await swarm.stop()
await asking
silent.destroy()
const stopped = performance.now()
process.on('exit', () => writeSync(1, `${JSON.stringify({ text, exitAfterMs: performance.now() - stopped })}\n`))
