import type { AnyModule } from '../../swarm/vocabulary/behaviour.ts'
import { pages } from '../pages/pages.ts'
import { pagesSchema, type PagesOptions } from '../pages/pagesOptions.ts'
import { dashboard } from './dashboard.ts'
import type { DashboardOptions } from './dashboardOptions.ts'

/** What the option `dashboard` of `createSwarm` takes: how it is served, and what it shows. */
export interface SwarmDashboardOptions extends DashboardOptions, PagesOptions {}

type NameOf<Module> = Module extends { readonly name: infer Name extends string } ? Name : never

/** What is in use with the option `dashboard`: the modules of `use`, and those that it adds. */
export type WithDashboard<Modules extends readonly unknown[], Shown> = [Extract<Shown, false | undefined>] extends [
  never,
]
  ? 'pages' extends NameOf<Modules[number]>
    ? readonly [...Modules, ReturnType<typeof dashboard>]
    : readonly [...Modules, ReturnType<typeof dashboard>, ReturnType<typeof pages>]
  : Modules

/** The modules that the option `dashboard` of `createSwarm` adds to those of `use`. */
export function dashboardModules(shown: true | SwarmDashboardOptions, use: readonly AnyModule[]): readonly AnyModule[] {
  const options = Object.entries(shown === true ? {} : shown)
  const isServed = use.some((module) => module?.name === 'pages')
  const isOfPages = ([name]: readonly [string, unknown]) => !isServed && Object.hasOwn(pagesSchema.shape, name)
  const own = [
    dashboard(Object.fromEntries(options.filter((option) => !isOfPages(option) || option[0] === 'stallMs'))),
    ...(isServed ? [] : [pages(Object.fromEntries(options.filter(isOfPages)))]),
  ]
  // what is wrong with them is told by the option's own name
  return own.map((module) => ({
    ...module,
    problems: (module.problems ?? []).map(({ path, message }) => ({
      path: path.replace(/^(pages|dashboard)\b/, 'dashboard'),
      message,
    })),
  }))
}
