import type { SwarmError } from '../../../errors/errors.ts'
import type { Setback } from './relayBackoff.ts'
import type { RankedRelay } from './rankRelays.ts'
import type { RelayCommand, RelayRef, Reservation } from './relayVocabulary.ts'

/** What the machine is made with. */
export interface RelayDecisions {
  /** How many reservations are kept, besides those that commands ask for. */
  readonly reservations: number
  /** Relays that are trusted. */
  readonly relays: readonly RelayRef[]
  /** Whether others are found and used. */
  readonly discover: boolean
  /** How often it is looked for a better relay. @unit milliseconds */
  readonly rotateAfterMs: number
}

/** A relay, and where it stands. */
export interface KnownRelay extends RankedRelay {
  readonly status: 'idle' | 'trying' | 'held'
  /** Given up by a command, and left alone until one asks for it. */
  readonly released: boolean
  /** Open commands that want it. */
  readonly asked: ReadonlySet<string>
  readonly reservation?: Reservation | undefined
  /** Setbacks in a row, and what the last one was. */
  readonly inARow: number
  readonly setback?: Setback | undefined
  /** When it may be tried. @unit milliseconds */
  readonly dueAt: number
  /** When its reservation was made; when it was lost, or first tried. @unit milliseconds */
  readonly since: number
}

/** A reservation that is being moved. */
export interface Moving {
  readonly from: string
  readonly to: string
  /** Relays that were tried already. */
  readonly tried: readonly string[]
  /** The command that wants it. */
  readonly cause?: string
}

/** What the relay behaviour knows. */
export interface RelayMachineState {
  readonly started: boolean
  /** By peer id, in the order in which they were found. */
  readonly relays: ReadonlyMap<string, KnownRelay>
  readonly moving?: Moving | undefined
  readonly search: {
    readonly running: boolean
    /** When the next one may start. @unit milliseconds */
    readonly dueAt: number
    /** Searches since there were enough relays last. */
    readonly inARow: number
  }
}

/** What it hears. */
export type RelayInput =
  | { readonly type: 'started' }
  | ({ readonly type: 'seen'; readonly isHere: boolean } & RelayRef)
  | { readonly type: 'command'; readonly command: RelayCommand; readonly error: SwarmError | undefined }
  | { readonly type: 'cancelled'; readonly id: string }
  | { readonly type: 'reserved'; readonly reservation: Reservation }
  | { readonly type: 'failed'; readonly relay: string; readonly error: SwarmError }
  | { readonly type: 'measured'; readonly relay: string; readonly rttMs: number }
  | { readonly type: 'searched' }
  | { readonly type: 'review' }
  | { readonly type: 'due' }

/** What it does. */
export type RelayEffect =
  | ({ readonly do: 'hold'; readonly withinMs: number } & RelayRef)
  | { readonly do: 'measure'; readonly relay: string }
  | { readonly do: 'search' }
  | { readonly do: 'review'; readonly inMs: number }
  | { readonly do: 'wake'; readonly inMs: number }

/** The name of an effect's work: of one name only the latest goes on. */
export function nameOfWork(effect: RelayEffect): string {
  if (effect.do === 'hold' || effect.do === 'measure') return `${effect.do} ${effect.relay}`
  return effect.do
}
