import { of, quantileOf, rateOf, sumOf, timeIn } from './ask.ts'
import type { Board } from './board.ts'
import { lines } from './panel.ts'

/** What the processes of the nodes are like. */
export const processBoard: Board = {
  name: 'process',
  title: 'rxswarm: process',
  description: 'What the processes of the nodes are like: event loop, processor, memory, garbage, handles.',
  rows: [
    {
      title: 'Event loop',
      panels: [
        lines(
          {
            title: 'Delay',
            description: 'How late the event loop was: so many of all turns were no later.',
            unit: 's',
          },
          [{ expr: `max by (share) (${of('nodejs_eventloop_delay_seconds')})`, legend: '{{share}}' }],
          {
            thresholds: [
              ['yellow', 0.1],
              ['red', 0.5],
            ],
          },
        ),
        lines({ title: 'Delay on average', description: 'Of each node, between two scrapes.', unit: 's' }, [
          { expr: of('nodejs_eventloop_delay_mean_seconds'), legend: '{{instance}}' },
        ]),
        lines(
          {
            title: 'Utilisation',
            description: 'Share of the time in which the event loop works. Near one, it is full.',
            unit: 'percentunit',
          },
          [
            { expr: of('nodejs_eventloop_utilization_ratio'), legend: '{{instance}} between two scrapes' },
            {
              expr: `${rateOf('nodejs_eventloop_active_seconds_total')} / (${rateOf('nodejs_eventloop_active_seconds_total')} + ${rateOf('nodejs_eventloop_idle_seconds_total')})`,
              legend: 'all',
            },
          ],
          {
            thresholds: [
              ['yellow', 0.7],
              ['red', 0.9],
            ],
          },
        ),
      ],
    },
    {
      title: 'Processor and memory',
      panels: [
        lines({ title: 'Processor', description: 'In cores. More than one is work in other threads.', unit: 'short' }, [
          { expr: rateOf('process_cpu_user_seconds_total', 'instance'), legend: '{{instance}} program' },
          { expr: rateOf('process_cpu_system_seconds_total', 'instance'), legend: '{{instance}} kernel' },
        ]),
        lines({ title: 'Resident', description: 'Memory that is resident.', unit: 'bytes' }, [
          { expr: of('process_resident_memory_bytes'), legend: '{{instance}}' },
        ]),
        lines(
          { title: 'Heap, of its limit', description: 'Beyond the limit the process ends.', unit: 'percentunit' },
          [
            {
              expr: `${of('nodejs_heap_size_used_bytes')} / ${of('nodejs_heap_size_limit_bytes')}`,
              legend: '{{instance}}',
            },
          ],
          {
            thresholds: [
              ['yellow', 0.7],
              ['red', 0.9],
            ],
          },
        ),
        lines({ title: 'Heap', description: 'What is used, what V8 has.', unit: 'bytes' }, [
          { expr: of('nodejs_heap_size_used_bytes'), legend: '{{instance}} used' },
          { expr: of('nodejs_heap_size_total_bytes'), legend: '{{instance}} total' },
        ]),
        lines(
          {
            title: 'Outside of the heap',
            description: 'What objects hold there, and buffers, which are a part of it.',
            unit: 'bytes',
          },
          [
            { expr: of('nodejs_external_memory_bytes'), legend: '{{instance}} all' },
            { expr: of('nodejs_array_buffers_bytes'), legend: '{{instance}} buffers' },
          ],
        ),
        lines({ title: 'Up for', description: 'Time since the process was started.', unit: 's' }, [
          { expr: `time() - ${of('process_start_time_seconds')}`, legend: '{{instance}}' },
        ]),
      ],
    },
    {
      title: 'Garbage and handles',
      panels: [
        lines(
          { title: 'Pauses', description: 'Within so long 99 % of them are over, by kind of collection.', unit: 's' },
          [{ expr: quantileOf(0.99, 'nodejs_gc_duration_seconds', 'kind'), legend: '{{kind}}' }],
        ),
        lines({ title: 'Time in pauses', description: 'Share of the time.', unit: 'percentunit' }, [
          {
            expr: timeIn('nodejs_gc_duration_seconds', 'instance'),
            legend: '{{instance}}',
          },
        ]),
        lines({ title: 'Handles', description: 'What keeps the event loop alive.', unit: 'short' }, [
          { expr: sumOf('nodejs_active_resources', 'type'), legend: '{{type}}' },
        ]),
        lines(
          {
            title: 'File descriptors',
            description: 'Open ones. Where the system does not tell, nothing is shown.',
            unit: 'short',
          },
          [{ expr: of('process_open_fds'), legend: '{{instance}}' }],
        ),
        lines({ title: 'Versions', description: 'Nodes by version of Node.js.', unit: 'short' }, [
          { expr: `count by (version) (${of('nodejs_version_info')})`, legend: '{{version}}' },
        ]),
      ],
    },
  ],
}
