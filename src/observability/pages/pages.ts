import { problemsIn } from '../../errors/problemsIn.ts'
import type { BehaviourModule, Slice } from '../../swarm/vocabulary/behaviour.ts'
import type { CoreEvent } from '../../swarm/vocabulary/event.ts'
import type { Probe, Probed } from '../../swarm/vocabulary/probe.ts'
import { pagesBehaviour, type PagesPorts } from './pagesBehaviour.ts'
import { pagesSchema, type PagesOptions } from './pagesOptions.ts'
import { pagesPorts } from './pagesPorts.ts'
import type { PagesEvent, ServedPage } from './pagesVocabulary.ts'

/** Where the pages are. */
export interface PagesState {
  /** What a browser on this machine opens; missing while nothing is listened on. */
  readonly url?: string
  /** The IP that is listened on. */
  readonly host?: string
  /** The port that is listened on. */
  readonly port?: number
  /** What is served there. */
  readonly pages: readonly ServedPage[]
  /** Why nothing is listened on. */
  readonly problem?: string
  /** Requests since the start to which a page had no answer. */
  readonly failed: number
  /** Requests since the start that were refused. */
  readonly refused: number
}

const down = ({ failed, refused }: PagesState): PagesState => ({ pages: [], failed, refused })

const state: Slice<PagesState, PagesEvent | CoreEvent> = {
  initial: { pages: [], failed: 0, refused: 0 },
  on: {
    'pages:listening': ({ failed, refused }, { url, host, port, pages: served }) => ({
      url,
      host,
      port,
      pages: served,
      failed,
      refused,
    }),
    'pages:failed': (state, { error, retryInMs, more = 0 }) =>
      retryInMs === undefined
        ? { ...state, failed: state.failed + 1 + more }
        : { ...down(state), problem: error.message },
    'pages:refused': (state, { more = 0 }) => ({ ...state, refused: state.refused + 1 + more }),
    'behaviour:crashed': (state, { behaviour }) => (behaviour === 'pages' ? down(state) : state),
    'swarm:stopped': down,
  },
}

/** What the ports of pages are made of. */
export interface PagesProbe extends Probe {
  /** The swarm whose pages are served. */
  readonly probed: Probed
}

/**
 * Serves what the other modules have to show over HTTP: `pages({ port: 9464 })` for `use`. Its first page lists them.
 *
 * @shape  Listens soon after the start: `state.pages.url` has where. A port that is taken is `pages:failed` and
 *         `state.pages.problem`, and tried again; the node runs without it.
 * @errors `ConfigError` of `createSwarm` for options that can't be used.
 */
export function pages(options: PagesOptions = {}): BehaviourModule<'pages', never, PagesEvent, PagesPorts, PagesState> {
  const { value, problems } = problemsIn('pages', pagesSchema, options)
  return {
    name: 'pages',
    problems,
    commands: {},
    state,
    options: value,
    probe: (probed): PagesProbe => ({ probed }),
    ports: (_, probe) => pagesPorts(value, (probe as PagesProbe).probed),
    behaviour: pagesBehaviour,
  }
}
