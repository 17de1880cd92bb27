import { createSwarm } from 'rxswarm'
import { ALERT_RULES, dashboard, pages } from 'rxswarm/observability'

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
swarm.state$.subscribe(({ dashboard: { alerts } }) => console.log(alerts))
