import type { Sample } from '../../model/dashboardItem.ts'

const seconds = ({ spanMs }: Sample): number => (spanMs > 0 ? spanMs / 1_000 : 1)

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Events of all types. @unit events per second */
export const eventsPerSecond = (sample: Sample): number => sum(Object.values(sample.events)) / seconds(sample)

/** Commands that settled, however. @unit commands per second */
export const commandsPerSecond = (sample: Sample): number =>
  sum(Object.values(sample.commands).map(({ completed, failed, cancelled }) => completed + failed + cancelled)) /
  seconds(sample)

/** Commands that failed. @unit commands per second */
export const failuresPerSecond = (sample: Sample): number =>
  sum(Object.values(sample.commands).map(({ failed }) => failed)) / seconds(sample)

/** Bytes of all protocols. @unit bytes per second */
export const bytesPerSecond = (sample: Sample): { readonly in: number; readonly out: number } => ({
  in: sum((sample.bytes ?? []).map((one) => one.in)) / seconds(sample),
  out: sum((sample.bytes ?? []).map((one) => one.out)) / seconds(sample),
})
