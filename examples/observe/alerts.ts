import { once } from 'node:events'
import { createSwarm } from 'rxswarm'
import { ALERT_RULES, dashboard, pages } from 'rxswarm/observability'
import { distinctUntilChanged, map } from 'rxjs'

await using swarm = await createSwarm({
  use: [
    pages({ port: 9464 }),
    dashboard({
      alerts: [
        ...ALERT_RULES,
        {
          id: 'few-peers',
          title: 'Fewer than three peers are connected',
          severity: 'warning',
          when: { metric: 'peers', op: '<', value: 3, forMs: 30_000 },
        },
      ],
    }),
  ],
})
swarm.state$
  .pipe(
    map(({ dashboard: { alerts } }) => alerts),
    distinctUntilChanged(),
  )
  .subscribe((alerts) => console.log(alerts))
await once(process, 'SIGINT') // it goes on until Ctrl-C, and stops cleanly
