import type { BehaviourModule } from 'rxswarm'
import { NEVER } from 'rxjs'

/** A module that only has a page. */
export const hello: BehaviourModule<'hello', never, never> = {
  name: 'hello',
  commands: {},
  ports: () => undefined,
  pages: () => [{ path: '/hello', title: 'Says hello', answer: (_, response) => void response.end('hello\n') }],
  behaviour: () => NEVER,
}
