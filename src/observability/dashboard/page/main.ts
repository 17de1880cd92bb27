import { html, render } from 'htm/preact'
import { App } from './App.ts'
import { desk } from './desk.ts'
import { startTheme } from './ThemeSwitch.ts'

startTheme()
const root = document.querySelector<HTMLElement>('#app')
if (root === null) throw new Error('the page has no place for the dashboard')
root.replaceChildren()
render(html`<${App} desk=${desk({ feed: 'feed', history: 'history', acknowledge: 'acknowledge' })} />`, root)
