let probe: HTMLElement | undefined

/** A colour of the stylesheet as it is in the theme now, for canvases. @param alpha 0 to 1. Default: 1 */
export function cssColour(name: string, alpha = 1): string {
  if (probe === undefined) {
    probe = document.createElement('span')
    probe.hidden = true
    document.body.append(probe)
  }
  probe.style.color = `var(${name})`
  const colour = getComputedStyle(probe).color
  return alpha === 1 ? colour : colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`)
}
