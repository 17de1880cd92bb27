import type { Sample } from '../../model/dashboardItem.ts'

/** The samples that are not after a time; all of them without one. @unit milliseconds of the swarm's scheduler */
export function samplesUntil(samples: readonly Sample[], at: number | undefined): readonly Sample[] {
  if (at === undefined) return samples
  let end = samples.length
  while (end > 0 && samples[end - 1]!.at > at) end--
  return samples.slice(0, end)
}
