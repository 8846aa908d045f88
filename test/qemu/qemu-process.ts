// A QEMU that a test starts and asks by QMP on its standard streams. Only where qemu-system-x86_64 is installed.

import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'

const QEMU = 'qemu-system-x86_64'

export const HAS_QEMU = spawnSync(QEMU, ['--version']).status === 0
export const QEMU_MISSING = `${QEMU} is not installed (apt-get install qemu-system-x86)`

/** To have it write what it traces of `events` into a file. */
export function traced(log = '', events: readonly string[]): string[] {
  return ['-D', log, ...events.flatMap((event) => ['-trace', event])]
}

export class Qemu {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>

  private constructor(args: readonly string[]) {
    this.#process = spawn(QEMU, [...args, '-qmp', 'stdio'])
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  /** A small machine without anything but what is named. */
  static async start(megabytes: number, args: readonly string[]): Promise<Qemu> {
    const machine = ['-accel', 'tcg', '-M', 'pc', '-m', String(megabytes)]
    const qemu = new Qemu([...machine, '-nodefaults', '-display', 'none', ...args])
    await qemu.ask('qmp_capabilities')
    return qemu
  }

  /** What the command returns. Raises what QEMU says is wrong with it. */
  async ask(execute: string, args?: object): Promise<Readonly<Record<string, unknown>>> {
    this.#process.stdin.write(`${JSON.stringify({ execute, arguments: args })}\n`)
    for (;;) {
      const { value, done } = await this.#lines.next()
      if (done) throw new Error(`${QEMU} ended: ${String(this.#process.stderr.read())}`)
      const answer = JSON.parse(value) as { return?: Record<string, unknown>; error?: object }
      if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error))
      if (answer.return !== undefined) return answer.return
    }
  }

  /** Whatever it is doing. */
  kill(): void {
    this.#process.kill()
  }
}
