import { z } from 'zod'
import { either } from '../../policies/schemas.ts'
import { ACCESS_ACTIONS, DIRECTIONS } from './accessPolicy.ts'
import { ipPrefix } from './ipMatch.ts'

/** Rules of a policy. */
const MOST_RULES = 100_000

/** Values of one field of a rule. */
const MOST_VALUES = 100_000

/** @unit characters */
const LONGEST_VALUE = 1_024

/** @unit characters */
const LONGEST_ID = 256

const text = z
  .string('must be text')
  .min(1, 'must not be empty')
  .max(LONGEST_VALUE, `must be at most ${LONGEST_VALUE} characters`)

/** One, or a list of some. */
const oneOrMore = <T>(one: z.ZodType<T>) =>
  either<readonly T[], T>(
    Array.isArray,
    z.array(one).min(1, 'must name at least one').max(MOST_VALUES, `must name at most ${MOST_VALUES}`),
    one,
  ).optional()

const name = text.refine((value) => value === '*' || !value.includes('*'), 'must be whole, or * alone')

const address = text.superRefine((value, context) => {
  const { problem } = ipPrefix(value)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

/** The name of a rule or a limit. */
export const ruleId = z
  .string('must be text')
  .min(1, 'must not be empty')
  .max(LONGEST_ID, `must be at most ${LONGEST_ID} characters`)
  .optional()

/** Texts in which `*` stands for any text. */
export const patterns = oneOrMore(text)

/** The fields of an `AccessMatch`. */
export const matchSpec = {
  peer: oneOrMore(name),
  owner: oneOrMore(name),
  protocol: patterns,
  topic: patterns,
  address: oneOrMore(address),
  direction: z.enum(DIRECTIONS, 'must be inbound or outbound').optional(),
  action: oneOrMore(z.enum(ACCESS_ACTIONS, `must be one of ${ACCESS_ACTIONS.join(', ')}`)),
}

/** Says which of a list have the name of an earlier one. */
export function refuseTwins(all: readonly { readonly id?: string | undefined }[], context: z.RefinementCtx): void {
  const seen = new Map<string, number>()
  all.forEach(({ id }, index) => {
    if (id === undefined) return
    const twin = seen.get(id)
    if (twin === undefined) seen.set(id, index)
    else context.addIssue({ code: 'custom', path: [index, 'id'], message: `is the id of [${twin}] already` })
  })
}

const effect = z.enum(['allow', 'deny'], 'must be allow or deny')

/** An `AccessPolicy`; too many rules are refused before they are looked at. */
export const accessPolicySpec = z.strictObject({
  rules: z
    .array(z.unknown(), 'must be a list of rules')
    .max(MOST_RULES, `must be at most ${MOST_RULES} rules`)
    .pipe(z.array(z.strictObject({ id: ruleId, effect, ...matchSpec }, 'must be a rule')).superRefine(refuseTwins)),
  default: effect,
})
