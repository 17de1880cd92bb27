import { counter, gauge, histogram } from './metricSpec.ts'

/** Pauses. @unit seconds */
const PAUSES = [0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

/** What the process of the node is like: the same for every node in it. By the names that others use for Node.js. */
export const processMetrics = {
  process_start_time_seconds: gauge('When the process was started, since the Unix epoch.'),
  process_cpu_user_seconds_total: counter('Time of the processor in the program.'),
  process_cpu_system_seconds_total: counter('Time of the processor in the kernel.'),
  process_resident_memory_bytes: gauge('Memory that is resident.'),
  process_open_fds: gauge('Open file descriptors; absent where the system does not tell.'),
  nodejs_version_info: gauge('Always 1; the label says which Node.js.', 'version'),
  nodejs_heap_size_total_bytes: gauge('Heap that V8 has.'),
  nodejs_heap_size_used_bytes: gauge('Heap that is used.'),
  nodejs_heap_size_limit_bytes: gauge('Heap beyond which V8 gives up.'),
  nodejs_external_memory_bytes: gauge('Memory outside of the heap that objects hold, buffers included.'),
  nodejs_array_buffers_bytes: gauge('Memory of buffers.'),
  nodejs_active_resources: gauge('What keeps the event loop alive: sockets, timers, requests.', 'type'),
  nodejs_eventloop_delay_seconds: gauge(
    'How late the event loop was, since the reading before: 0.5, 0.9, 0.99 and 1 of all turns were no later.',
    'share',
  ),
  nodejs_eventloop_delay_mean_seconds: gauge('How late the event loop was on average, since the reading before.'),
  nodejs_eventloop_active_seconds_total: counter('Time in which the event loop worked.'),
  nodejs_eventloop_idle_seconds_total: counter('Time in which the event loop waited.'),
  nodejs_eventloop_utilization_ratio: gauge(
    'Share of the time in which the event loop worked, since the reading before.',
  ),
  nodejs_gc_duration_seconds: histogram(PAUSES, 'Pauses for the collection of garbage.', 'kind'),
} as const
