// One real daemon in a process of its own, as tests start it: its configuration is the argument, as JSON; its
// addresses come back as one line on stdout. It runs as one bundle, as the command does (see bundle.mjs).

import { configSchema } from '../../daemon/config.ts'
import { Daemon } from '../../daemon/daemon.ts'
import { endProcess } from '../../daemon/process-end.ts'

async function run(): Promise<void> {
  const daemon = await Daemon.start(configSchema.parse(JSON.parse(process.argv[2] ?? '{}')))
  process.on('SIGTERM', () => daemon.stop())
  process.on('disconnect', () => process.exit(1))
  console.log(JSON.stringify(daemon.addresses))
  await daemon.stopped
  await daemon.dispose()
  await endProcess(0, daemon.endsWithinMs)
}

run().catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
