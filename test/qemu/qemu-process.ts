// A real QEMU that does nothing but what it is asked, over QMP on its standard streams: a stopped PC of 8 MiB.

import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'

export const QEMU = 'qemu-system-x86_64'
export const hasQemu = spawnSync(QEMU, ['--version']).status === 0
export const QEMU_MISSING = `${QEMU} is not installed (apt-get install qemu-system-x86)`

export type Ask = (execute: string, args?: object) => Promise<{ readonly status?: string }>

/** Asks it for all that `use` wants, then it quits. What it traces of `events` is in `log`. */
export async function withQemu(
  args: readonly string[],
  { log, events }: { readonly log: string; readonly events: readonly string[] },
  use: (ask: Ask) => Promise<void>,
): Promise<void> {
  const qemu = spawn(QEMU, [
    ...['-accel', 'tcg', '-M', 'pc', '-m', '8', '-nodefaults', '-display', 'none', '-S'],
    ...args,
    ...['-qmp', 'stdio', '-D', log],
    ...events.flatMap((event) => ['-trace', event]),
  ])
  const lines = createInterface({ input: qemu.stdout })[Symbol.asyncIterator]()
  const ask: Ask = async (execute, given) => {
    qemu.stdin.write(`${JSON.stringify({ execute, arguments: given })}\n`)
    for (;;) {
      const { value, done } = await lines.next()
      if (done) throw new Error(`${QEMU} ended: ${String(qemu.stderr.read())}`)
      const answer = JSON.parse(value) as { return?: { status?: string }; error?: object }
      if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error))
      if (answer.return !== undefined) return answer.return
    }
  }
  try {
    await ask('qmp_capabilities')
    await use(ask)
    await ask('quit')
  } finally {
    qemu.kill()
  }
}
