import { get } from 'node:http'

// A browser that reads the feed, as a process of its own: it looks into each frame, as a page does.

let [late, lagging, samples] = [0, 0, 0]
let rest = ''

process.on('message', ({ url }: { readonly url: string }) => {
  get(`${url}dashboard/feed`, (response) => {
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      const frames = (rest + chunk).split('\n\n')
      rest = frames.pop()!
      for (const frame of frames) read(frame)
    })
    process.send!('reading')
  })
})

function read(frame: string): void {
  const at = frame.indexOf('\ndata: ')
  if (at < 0) return
  const data = JSON.parse(frame.slice(at + 7)) as { readonly type: string; readonly sample?: { readonly at: number } }
  if (data.type === 'lagging') lagging++
  if (data.sample === undefined) return
  samples++
  late = Math.max(late, Date.now() - data.sample.at)
  process.send!({ late, lagging, samples })
}
