import { describe } from 'vitest'
import { labLacks } from './labNeeds.ts'

const lacks = labLacks()

/** A `describe` that is skipped, and says why, where no lab can be. */
export function inLab(title: string, tests: () => void): void {
  describe.skipIf(lacks !== undefined)(lacks === undefined ? title : `${title} (skipped: ${lacks})`, tests)
}
