/** A piece of text, and what may follow it. */
interface Twig<T> {
  /** In the order of the walk. */
  label: string
  /** By the first character of their labels. */
  twigs: Map<number, Twig<T>> | undefined
  value: T | undefined
}

/**
 * Values by the beginning, or by the end, of a text.
 *
 * @shape  A look-up walks along the text once, whatever the number of values, and ends where no key goes on. Texts of any
 *         characters; each is compared by its UTF-16 units. Memory: at most two twigs for each key.
 * @source Radix tree: Morrison, "PATRICIA", 1968.
 */
export class PrefixTrie<T> {
  readonly #root: Twig<T> = { label: '', twigs: undefined, value: undefined }
  readonly #isBackwards: boolean

  /** @param isBackwards Whether keys are ends of texts, not beginnings. */
  constructor(isBackwards = false) {
    this.#isBackwards = isBackwards
  }

  /** The value of a key, which is made when there is none. */
  at(key: string, make: () => T): T {
    const twig = this.#twigAt(this.#isBackwards ? reversed(key) : key)
    return (twig.value ??= make())
  }

  /** Whether `visit` says yes to a value whose key the text begins (or ends) with; the shortest key first, until it does. */
  some(text: string, visit: (value: T) => boolean): boolean {
    const isBackwards = this.#isBackwards
    const last = text.length - 1
    let twig = this.#root
    for (let at = 0; ;) {
      if (twig.value !== undefined && visit(twig.value)) return true
      if (at > last || twig.twigs === undefined) return false
      const next = twig.twigs.get(text.charCodeAt(isBackwards ? last - at : at))
      if (next === undefined) return false
      const { label } = next
      if (label.length > text.length - at) return false
      for (let i = 1; i < label.length; i++) {
        if (label.charCodeAt(i) !== text.charCodeAt(isBackwards ? last - at - i : at + i)) return false
      }
      at += label.length
      twig = next
    }
  }

  #twigAt(key: string): Twig<T> {
    let twig = this.#root
    for (let rest = key; rest !== '';) {
      const twigs: Map<number, Twig<T>> = (twig.twigs ??= new Map())
      const first = rest.charCodeAt(0)
      const next = twigs.get(first)
      if (next === undefined) {
        const added = { label: rest, twigs: undefined, value: undefined }
        twigs.set(first, added)
        return added
      }
      const shared = sharedLength(next.label, rest)
      if (shared === next.label.length) twig = next
      else {
        const label = next.label.slice(0, shared)
        next.label = next.label.slice(shared)
        twig = { label, twigs: new Map([[next.label.charCodeAt(0), next]]), value: undefined }
        twigs.set(first, twig)
      }
      rest = rest.slice(shared)
    }
    return twig
  }
}

function sharedLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}

function reversed(text: string): string {
  let back = ''
  for (let i = text.length - 1; i >= 0; i--) back += text.charAt(i)
  return back
}
