/** What somebody told in JSON, as text; of an object that it is one, since its own `toString` may be told too. */
export function toldText(told: unknown): string {
  return typeof told === 'object' && told !== null ? 'object' : String(told)
}
