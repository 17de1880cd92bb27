// Makes a lab with a swarm in it, says which processes hold it, and stays until it is killed.
import { startLab } from './lab.ts'
import { pause } from './wait.ts'

const lab = await startLab()
const home = await lab.router()
const inside = await home.host()
const node = await inside.node()
console.log(JSON.stringify({ pids: [home.uplink.space.pid, inside.space.pid, node.pid] }))
await pause(60_000)
await lab[Symbol.asyncDispose]()
