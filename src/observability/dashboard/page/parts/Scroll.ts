import { useSignal } from '@preact/signals'
import { html } from 'htm/preact'
import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

/** What a {@link Scroll} shows. */
export interface ScrollProps {
  /** Id of what names it. */
  readonly labelledBy: string
  /** Its id, for links to it. */
  readonly id?: string
  /** Classes of the box. */
  readonly class?: string
  /** Content. */
  readonly children?: ComponentChildren
}

/** A box with a largest height (by its class). While its content is taller, the Tab key reaches it, so that arrow keys scroll it. */
export function Scroll({ labelledBy, id, class: more = '', children }: ScrollProps): VNode {
  const box = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const isTall = useSignal(false)
  useEffect(() => {
    const watcher = new ResizeObserver(() => {
      isTall.value = box.current!.scrollHeight > box.current!.clientHeight + 1
    })
    watcher.observe(box.current!)
    watcher.observe(content.current!)
    return () => watcher.disconnect()
  }, [])
  const reach = isTall.value
    ? { tabindex: 0, role: 'group', 'aria-labelledby': labelledBy }
    : { tabindex: id === undefined ? undefined : -1 }
  return html`<div id=${id} class=${`scroll-box ${more}`} ref=${box} ...${reach}>
    <div ref=${content}>${children}</div>
  </div>`
}
