import { Observable, share, Subscription, tap, type ObservableInput } from 'rxjs'
import { ConfigError, NoTargetError } from '../errors/errors.ts'
import { checkChance } from '../errors/checkChance.ts'
import { parseOptions } from '../errors/parseOptions.ts'
import { balanceOptions, type BalanceOptions } from './balance/balanceOptions.ts'
import { choose } from './balance/choose.ts'
import { Roster } from './balance/roster.ts'
import { runOn, type RunOptions } from './balance/runOn.ts'
import type { Seat, TargetLoad } from './balance/seat.ts'
import { inOrder } from './inOrder.ts'
import { Relay } from './relay.ts'

/** What {@link balance} gives. */
export interface Balancer<Target> {
  /**
   * Work on a target that is chosen anew for each subscription. Its latency (to the first value or the end) and its
   * errors teach the balancer.
   *
   * @param work What to do; one that throws counts as one that fails.
   * @param key  What `rendezvous` goes by, and needs.
   * @shape  Cold; as the work. A call stays with its target, even if that leaves the set. One that is unsubscribed before
   *         its first value teaches only that the latency is not below that time.
   * @errors Those of the work; `NoTargetError` with nobody in the set after `waitMs`; `ConfigError` if `rendezvous` lacks
   *         the key; while it waits, the error of `targets$`; what `random` or `report` throws on its account.
   */
  readonly run: <T>(work: (target: Target) => ObservableInput<T>, key?: string) => Observable<T>
  /**
   * How every target stands, in the order of the newest list.
   *
   * @shape  The state at subscription if a list is known, then on each change of the set, a weight or a status, not on each
   *         call. Does not complete.
   * @errors The error of `targets$`.
   */
  readonly load$: Observable<readonly TargetLoad[]>
}

/**
 * Spreads calls over a live set of targets, sheds a target that slows down and comes back to it when it heals.
 *
 * ```marble
 * targets  ---t---
 * work     --a|
 * result   -----a|
 * ```
 *
 * @param options See {@link BalanceOptions}. The picture has a `waitMs` of 5.
 * @unit   Latencies in milliseconds, up to the first value; an error counts `penaltyMs` at least. A target is shed above
 *         `shedAbove` times the median of the others, by the averages of their last answers.
 * @shape  `targets$` is subscribed once, from the first call or listener of `load$` to the last. The newest list stays in
 *         force when it completes (it is not subscribed again then), fails (the next call subscribes again) or is let go.
 *         Memory: one seat for each id of the newest list, and the calls that run or wait.
 * @errors `ConfigError` with every option that can't be used. A target for which `idOf` or `weightOf` throws, or gives what
 *         can't be used, is left out and reported. What `report` throws at a list counts as an error of `targets$`.
 * @source ours; the strategies name theirs: Finagle's peak EWMA, nginx's smooth weighted round robin, rendezvous hashing.
 */
export function balance<Target>(options: BalanceOptions<Target>): Balancer<Target> {
  const settings = parseOptions('balance', balanceOptions, options)
  checkChance('balance', settings.random)
  const { idOf, weightOf, strategy, probeEveryMs, penaltyMs, waitMs, random, report, scheduler } = settings
  const turned = new Relay<readonly TargetLoad[]>()
  const tell = inOrder((loads: readonly TargetLoad[]) => turned.next(loads))
  const roster = new Roster<Target>({
    ...settings,
    admit: (target) => usable(idOf(target), weightOf(target)),
    changed: () => void (turned.observed && tell(roster.loads(scheduler.now()))),
  })
  let isOver = false
  let isMissed = false
  const list$ = options.targets$.pipe(
    tap({
      next: (targets: unknown) => {
        if (!Array.isArray(targets))
          throw new TypeError(`balance: targets$ must emit lists, and emitted ${typeof targets}`)
        roster.replace(targets as readonly Target[], scheduler.now())
      },
      complete: () => void (isOver = true),
    }),
    share({ resetOnComplete: false }),
  )
  const running: RunOptions<Target> = { scheduler, penaltyMs, learn: (...lesson) => roster.learn(...lesson) }

  const pick = (key = ''): Seat<Target> => {
    const nowMs = scheduler.now()
    const { all, healthy, shed } = roster
    const chosen = choose({ strategy, all, healthy, shed, probeEveryMs, random }, nowMs, key)
    if (chosen.status === 'shed') chosen.probedAtMs = nowMs
    isMissed = false
    return chosen
  }

  const run: Balancer<Target>['run'] = (work, key) =>
    new Observable((out) => {
      if (strategy === 'rendezvous' && typeof key !== 'string') return out.error(keyMissing())
      let patience = Subscription.EMPTY
      let isWaiting = false
      let isBegun = false
      const giveUp = () => {
        if (!isMissed) {
          isMissed = true
          report({ type: 'balance:no-target' })
        }
        const after = waitMs > 0 ? ` after ${waitMs} ms` : ''
        out.error(new NoTargetError(`balance: the set of targets is empty${after}; try again when a peer is there`))
      }
      const settle = (step: () => void) => {
        if (!isWaiting || out.closed) return
        isWaiting = false
        patience.unsubscribe()
        try {
          step()
        } catch (thrown) {
          out.error(thrown)
        }
      }
      const begin = () => {
        isBegun = true
        runOn(pick(key), work, running).subscribe(out)
      }
      if (!isOver) {
        out.add(
          list$.subscribe({
            next: () => void (roster.all.length > 0 && settle(begin)),
            error: (error: unknown) => void (isBegun || roster.all.length > 0 || out.error(error)),
            complete: () => settle(giveUp),
          }),
        )
      }
      if (out.closed) return
      if (roster.all.length > 0) return begin()
      if (waitMs === 0 || isOver) return giveUp()
      isWaiting = true
      out.add((patience = scheduler.schedule(() => settle(giveUp), waitMs)))
    })

  const load$ = new Observable<readonly TargetLoad[]>((out) => {
    out.add(list$.subscribe({ error: (error: unknown) => out.error(error) }))
    turned.subscribe(out)
    if (roster.known) out.next(roster.loads(scheduler.now()))
  })
  return { run, load$ }
}

/** The id and weight of a target. @errors `ConfigError` if they can't be used. */
function usable(id: unknown, weight: number): { readonly id: string; readonly weight: number } {
  if (typeof id !== 'string') throw new ConfigError([{ path: 'balance.idOf', message: 'must give a text' }])
  if (Number.isFinite(weight) && weight > 0) return { id, weight }
  throw new ConfigError([{ path: 'balance.weightOf', message: `must give a number above 0; gave ${weight} for ${id}` }])
}

function keyMissing(): ConfigError {
  return new ConfigError([{ path: 'balance.run.key', message: 'must be given: rendezvous chooses by it' }])
}
