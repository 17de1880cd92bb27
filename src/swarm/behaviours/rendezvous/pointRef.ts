import type { PointRef } from './rendezvousVocabulary.ts'

const WITH_ID = /^\/.+\/p2p\/(?<point>[^/]+)$/
const ONLY_ID = /^(?:\/p2p\/)?(?<point>[^/]+)$/

/**
 * The rendezvous point that a text names: its peer id, or an address that ends with it.
 *
 * @shape  Looks at the form only; what is dialled is parsed by who dials.
 */
export function pointIn(text: unknown): PointRef | undefined {
  if (typeof text !== 'string' || text === '') return undefined
  const only = ONLY_ID.exec(text)?.groups?.['point']
  if (only !== undefined) return { point: only, addresses: [] }
  const point = WITH_ID.exec(text)?.groups?.['point']
  return point === undefined ? undefined : { point, addresses: [text] }
}

/** Points by peer id: several addresses of one are one point. */
export function pointsIn(texts: readonly string[]): readonly PointRef[] {
  const points = new Map<string, string[]>()
  for (const text of texts) {
    const ref = pointIn(text)
    if (ref !== undefined) points.set(ref.point, [...(points.get(ref.point) ?? []), ...ref.addresses])
  }
  return [...points].map(([point, addresses]) => ({ point, addresses }))
}
