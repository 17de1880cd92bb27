import type { SwarmError } from '../../../errors/errors.ts'
import { emptyBooks, type Books, type ChainAsked, type ChainLimits } from './admission.ts'
import type { CarriedEnd, ChainInfo } from './chainsVocabulary.ts'
import type { ChainBudget, ChainPath, ChainRefusal } from './chainWords.ts'

/** What somebody asks of an operator of a carrier: whether it may. */
export interface ChainPermit {
  /** Who wants it, and has signed that. */
  readonly opener: string
  /** The neighbour that brings it. */
  readonly from: string
  /** See {@link ChainPath}. */
  readonly path: ChainPath
}

/** What a node does for others. */
export interface CarrierDecisions {
  /** This node. */
  readonly self: string
  readonly limits: ChainLimits
  /** What is carried for one path; nothing is carried without. */
  readonly carry?: { readonly budget: ChainBudget; readonly allow: (permit: ChainPermit) => boolean }
  /** Whether chains may end here. */
  readonly accept: (permit: ChainPermit) => boolean
}

/** What a neighbour asks. */
export type ChainArrival =
  | ({ readonly type: 'asked' } & ChainAsked)
  /** Who else carries. */
  | { readonly type: 'inquired'; readonly request: string; readonly from: string; readonly address: string }
  | {
      readonly type: 'malformed'
      readonly request: string
      readonly from: string
      readonly address: string
      readonly error: SwarmError
    }

/** What is asked of a node, and what became of it. */
export type CarrierInput =
  | ChainArrival
  | { readonly type: 'verified'; readonly request: string; readonly isSigned: boolean }
  | { readonly type: 'not-carried'; readonly request: string; readonly refusal: ChainRefusal }
  | {
      readonly type: 'carried'
      readonly request: string
      readonly bytes: number
      readonly ms: number
      readonly reason: CarriedEnd
    }
  | { readonly type: 'accepted'; readonly request: string; readonly info: ChainInfo }
  /** The path that ended here is over. */
  | { readonly type: 'left'; readonly request: string }

/** Work that it starts. */
export type CarrierEffect =
  | { readonly do: 'verify'; readonly request: string }
  | { readonly do: 'refuse'; readonly request: string; readonly at: number; readonly refusal: ChainRefusal }
  | { readonly do: 'tell'; readonly request: string }
  | {
      readonly do: 'carry'
      readonly request: string
      readonly at: number
      readonly granted: ChainBudget
    }
  | { readonly do: 'accept'; readonly request: string; readonly granted: ChainBudget }

/** What a carrier knows. */
export interface CarrierState {
  readonly books: Books
  /** What is being looked at, and what runs. */
  readonly asked: ReadonlyMap<string, ChainAsked>
}

/** State before anything happened. */
export const initialCarrier: CarrierState = { books: emptyBooks, asked: new Map() }
