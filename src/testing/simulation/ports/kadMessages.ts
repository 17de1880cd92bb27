import { z } from 'zod'
import type { FoundPeer } from '../../../swarm/behaviours/kad/kadCommands.ts'
import { K } from './kadTable.ts'

/** Providers that one answer names at most. */
export const MOST_PROVIDERS = 100

const name = z.string().min(1).max(512)
const addresses = z.array(name).max(64)
const peers = z.array(z.object({ peer: name, addresses }))

/** What a peer is asked; the value of a record to keep is the message's body. */
export const questionSchema = z.object({
  ask: z.enum(['find', 'get', 'put', 'providers', 'provide']),
  key: z.string().min(1),
  /** Whether the asker answers too. */
  serves: z.boolean(),
  /** Where the asker listens. */
  addresses,
})

/** What it answers; a record that it has is the message's body. */
export const answerSchema = z.object({
  closer: peers.max(K + 1),
  providers: peers.max(MOST_PROVIDERS),
  /** Whether the body is a record. */
  has: z.boolean(),
})

/** See {@link questionSchema}. */
export type KadQuestion = z.output<typeof questionSchema>

/** See {@link answerSchema}, with its body. */
export interface KadAnswer {
  /** Peers closer to the key. */
  readonly closer: readonly FoundPeer[]
  /** Who has the content. */
  readonly providers: readonly FoundPeer[]
  /** The record, if it has one. */
  readonly value?: Uint8Array
}
