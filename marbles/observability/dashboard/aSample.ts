import type { Sample } from '../../../src/observability/dashboard/model/dashboardItem.ts'

/** A second in which nothing happened, but for what is told. */
export const aSample = (at: number, told: Partial<Sample> = {}): Sample => ({
  type: 'sample',
  at,
  spanMs: 1_000,
  events: {},
  commands: {},
  lanes: [],
  rtts: [],
  connections: 0,
  streams: 0,
  loop: { meanMs: 0, maxMs: 0 },
  heapBytes: 0,
  rssBytes: 0,
  cpu: 0,
  ...told,
})
