export { marbles, inVirtualTime, assertSame } from './marbles.ts'
export { draw, type TestMessage } from './draw.ts'
export { obeysOperatorLaws } from './operatorLaws.ts'
export { obeysBehaviourLaws } from './behaviourLaws.ts'
export { fakeWires, fakePorts, failingPorts, fakeSwarm, FAKE_SELF, type FakeSwarmOptions } from './fakes.ts'
export type { Host, WiredSwarm, WireOptions } from '../swarm/wiring.ts'

export { simulate } from './simulation/simulate.ts'
export type { NodeOptions, SimulatedPorts, SimulateOptions } from './simulation/simulateOptions.ts'
export type { SimulatedNetwork, SimulatedSwarm } from './simulation/simulatedNetwork.ts'
export type { SimulatedConnection, SimulatedNode, SimulatedStream } from './simulation/simulatedNode.ts'
export type { Fault, FaultSchedule, TimedFault } from './simulation/fault.ts'
export { faults, type FaultsOptions } from './simulation/faults.ts'
export { drawFaults } from './simulation/drawFaults.ts'
export { explore, type ExploreOptions } from './simulation/explore.ts'
export {
  faultSchedules,
  type FastCheck,
  type FaultSchedulesOptions,
  type FaultType,
} from './simulation/faultSchedules.ts'
export type { LinkOptions } from './simulation/link.ts'
export type { Latency } from './simulation/latency.ts'
export { answer, request, type Answerer, type AnswerOptions, type RequestOptions } from './simulation/request.ts'
export { seeded, type Seeded } from './simulation/seeded.ts'
export { VirtualTime } from './simulation/virtualTime.ts'
export type { Timeline, Work } from './simulation/virtualAction.ts'
export type { Due } from './simulation/timeQueue.ts'
export { skewed, type SkewedClock } from './simulation/skewed.ts'
