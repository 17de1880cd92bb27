import fc from 'fast-check'
import {
  ACCESS_ACTIONS,
  type AccessPolicy,
  type AccessRequest,
  type AccessRule,
} from '../../../src/security/access/accessPolicy.ts'
import { ipMatch } from '../../../src/security/access/ipMatch.ts'

const some = (values: readonly string[]) =>
  fc.option(
    fc.oneof(fc.constantFrom(...values), fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 12 })),
    {
      nil: undefined,
      freq: 2,
    },
  )

const names = ['QmA', 'QmB', 'QmC', '__proto__', 'constructor', 'toString', 'žluť', '\u{1f600}']
const texts = ['/a', '/a/b', '/a/b/c', '/b', '/ab', 'hasOwnProperty', '__proto__', '', 'ž']
const wild = ['*', '/a*', '/a/*', '/a/b*', '*/c', '*/b', '/*/c', '/a*b', '*a*', '*b*', '/*b*', '**', '/a*/*', '*o*']
const prefixes = ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '0.0.0.0/0', '::/0', '2001:db8::/32', '2001:db8:1::/48']
const mapped = ['::ffff:10.1.0.0/112', '2001:db8::1', '128.0.0.0/1', '10.1.2.2/31']
const ips = ['10.1.2.3', '10.1.2.2', '10.2.0.1', '::ffff:10.1.2.3', '200.1.1.1', '2001:db8::1', '2001:db8:1::9', '::1']

/** Leaves out what is undefined, as JSON does. */
const present = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T

const rule = fc
  .record({
    effect: fc.constantFrom('allow', 'deny'),
    peer: some([...names, '*']),
    owner: some(['owner', '*', 'constructor']),
    protocol: some([...texts.filter((text) => text !== ''), ...wild]),
    topic: some([...texts.filter((text) => text !== ''), ...wild]),
    address: some([...prefixes, ...mapped]),
    direction: fc.option(fc.constantFrom('inbound', 'outbound'), { nil: undefined }),
    action: some(ACCESS_ACTIONS),
  })
  .chain((fields) => {
    // most rules have few fields, or nothing would match
    return fc
      .subarray(['peer', 'owner', 'protocol', 'topic', 'address', 'direction', 'action'] as const)
      .map((kept) => {
        const given = Object.fromEntries(Object.entries(fields).filter(([key]) => kept.includes(key as never)))
        return present({ ...given, effect: fields.effect }) as AccessRule
      })
  })

/** Policies of few values, so that rules meet. */
export const policies = (maxLength = 80): fc.Arbitrary<AccessPolicy> =>
  fc.record({
    rules: fc.array(rule, { maxLength, size: 'max' }),
    default: fc.constantFrom('allow' as const, 'deny' as const),
  })

const maybe = (values: readonly string[]) => fc.option(fc.constantFrom(...values), { nil: undefined, freq: 5 })

/** Requests that those policies are about. */
export const requests: fc.Arbitrary<AccessRequest> = fc
  .record({
    action: fc.constantFrom(...ACCESS_ACTIONS),
    direction: fc.constantFrom('inbound' as const, 'outbound' as const),
    peer: maybe([...names, 'QmX', '']),
    owner: maybe(['owner', 'other', 'constructor']),
    protocol: maybe([...texts, '/x/c', '/a*', '*']),
    topic: maybe([...texts, '/x/c']),
    address: maybe([...ips, 'no ip', '']),
  })
  .map((request) => present(request) as AccessRequest)

const listOf = (value: string | readonly string[]) => [value].flat()

function isTextOf(pattern: string, text: string): boolean {
  const expression = pattern.split('*').map((piece) => piece.replaceAll(/[$()*+./?[\\\]^{|}-]/g, String.raw`\$&`))
  return new RegExp(`^${expression.join('.*')}$`, 's').test(text)
}

/** Whether a rule matches, as its documentation says it, one field after another. */
export function isMatch(one: AccessRule, request: AccessRequest): boolean {
  const isAmong = (field: 'peer' | 'owner' | 'protocol' | 'topic') => {
    const [wanted, text] = [one[field], request[field]]
    return wanted === undefined || (text !== undefined && listOf(wanted).some((value) => isTextOf(value, text)))
  }
  const { address, direction, action } = one
  return (
    isAmong('peer') &&
    isAmong('owner') &&
    isAmong('protocol') &&
    isAmong('topic') &&
    (address === undefined || listOf(address).some((prefix) => ipMatch(prefix, request.address ?? ''))) &&
    (direction === undefined || direction === request.direction) &&
    (action === undefined || listOf(action).includes(request.action))
  )
}
