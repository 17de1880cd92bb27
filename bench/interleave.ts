/** Measures once. @unit whatever the bench says; the same for all who are compared */
export type Measure = () => number | Promise<number>

/** What {@link interleave} is told. */
export interface InterleaveOptions {
  /** Rounds that count. */
  readonly rounds: number
  /** Rounds before them that do not, so that everybody's code is compiled. Default: 1. */
  readonly warmUps?: number
}

/**
 * Measures several contestants by turns, so that whatever slows the machine down for a while slows all of them.
 *
 * @shape  A round measures each once. Each round begins with the next contestant, and when all have begun one, they turn
 *         back to front, so nobody always comes after the same. Rubbish of one turn is collected before the next, when
 *         node runs with `--expose-gc`.
 */
export async function interleave<Name extends string>(
  contestants: Readonly<Record<Name, Measure>>,
  { rounds, warmUps = 1 }: InterleaveOptions,
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(contestants) as Name[]
  const series = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>
  for (let round = 0; round < warmUps + rounds; round++) {
    const first = round % names.length
    const forwards = [...names.slice(first), ...names.slice(0, first)]
    const isForwards = Math.floor(round / names.length) % 2 === 0
    for (const name of isForwards ? forwards : forwards.toReversed()) {
      globalThis.gc?.()
      const value = await contestants[name]()
      if (round >= warmUps) series[name].push(value)
    }
  }
  return series
}
