// One real daemon in a process of its own, as the benchmarks start it: its configuration is the argument, as
// JSON; one line on stdout says that it listens. With thread-heap.js loaded into its threads it also answers
// over the channel to its parent what they have allocated. It ends with its parent, whatever happens to that.

import { configSchema } from '../daemon/config.ts'
import { Daemon } from '../daemon/daemon.ts'
import { askThreads } from './thread-heap.ts'

const HEAP_WAIT_MS = 200

const daemon = await Daemon.start(configSchema.parse(JSON.parse(process.argv[2] ?? '{}')))
process.on('SIGTERM', () => daemon.stop())
process.on('disconnect', () => process.exit(1))
process.on('message', (message) => {
  if (message !== 'heaps') return
  askThreads(HEAP_WAIT_MS).then(
    (heaps) => process.send?.(heaps),
    (error: unknown) => console.error(error),
  )
})
console.log(JSON.stringify(daemon.addresses))
await daemon.stopped
await daemon.dispose()
process.exit(0)
