// Runs on any Node: says which one is needed before something else fails without saying so.
const needed = 22
if (Number(process.versions.node.split('.')[0]) < needed) {
  console.error(`rxswarm needs Node ${needed} or newer; this is ${process.versions.node}.`)
  console.error(
    '`npm ci` brings Node 24 along; if its install scripts are off, run it with them, or install Node yourself.',
  )
  process.exit(1)
}
