import type { LinkOptions } from './link.ts'

/** Something that goes wrong, or is put right, as plain data. */
export type Fault =
  /**
   * Nothing passes between groups; nodes that no group names are a group of their own. Replaces an earlier partition. What
   * is under way arrives; what is sent meanwhile waits for the heal, if its connection lives so long.
   */
  | { readonly type: 'partition'; readonly groups: readonly (readonly string[])[] }
  /** Ends the partition; what is blocked stays so. */
  | { readonly type: 'heal' }
  /** The node falls silent and forgets everything. */
  | { readonly type: 'crash'; readonly node: string }
  /** The node starts anew, under the same name and addresses; one that runs crashes first. */
  | { readonly type: 'restart'; readonly node: string }
  /** Nothing passes in one direction. */
  | { readonly type: 'block'; readonly from: string; readonly to: string }
  | { readonly type: 'unblock'; readonly from: string; readonly to: string }
  /** Changes what one direction does to packets. */
  | ({ readonly type: 'link'; readonly from: string; readonly to: string } & LinkOptions)
  /** Sets a node's clock: what it is ahead of true time. */
  | { readonly type: 'skew'; readonly node: string; readonly offsetMs: number }
  /** Puts a node behind a NAT that lets no dial in, or takes it away. */
  | { readonly type: 'nat'; readonly node: string; readonly on: boolean }

/** A fault and its moment. */
export interface TimedFault {
  /** @unit milliseconds from the start of the network */
  readonly atMs: number
  /** What happens then. */
  readonly fault: Fault
}

/** What goes wrong when. */
export type FaultSchedule = readonly TimedFault[]
