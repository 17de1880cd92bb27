// How long a first peer takes by mDNS, as one line of JSON; run on a network of its own.
import { firstByMdns } from './firstFound.ts'
import { interleave } from './interleave.ts'

const { ours, bare, stop } = await firstByMdns()
const times = await interleave({ ours, bare }, { rounds: Number(process.argv[2]) })
await stop()
console.log(JSON.stringify(times))
