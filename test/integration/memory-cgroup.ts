// Memory cgroups as a test makes them, of either version. They need root, and a place where one may be made.

import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Version {
  readonly root: string
  readonly limit: string
  readonly swap: string
  /** What counts kills by the limit. */
  readonly events: string
}

const mounts = readFileSync('/proc/mounts', 'utf8')
  .split('\n')
  .map((line) => line.split(' '))

function versions(): Version[] {
  const found: Version[] = []
  for (const [, root = '', type = '', options = ''] of mounts) {
    if (type === 'cgroup' && options.split(',').includes('memory')) {
      const [limit, swap] = ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes']
      found.push({ root, limit, swap, events: 'memory.oom_control' })
    }
    if (type === 'cgroup2') {
      const [limit, swap] = ['memory.max', 'memory.swap.max']
      found.push({ root, limit, swap, events: 'memory.events' })
    }
  }
  return found
}

export class MemoryCgroup {
  readonly #path: string
  readonly #version: Version

  private constructor(path: string, version: Version) {
    this.#path = path
    this.#version = version
  }

  /** Undefined where none can be made. */
  static make(name: string, bytes: number): MemoryCgroup | undefined {
    for (const version of versions()) {
      const path = join(version.root, `colo-test-${process.pid}-${name}`)
      try {
        mkdirSync(path)
      } catch {
        continue
      }
      const group = new MemoryCgroup(path, version)
      try {
        if (version.limit === 'memory.max') allowMemory(version.root)
        writeFileSync(join(path, version.limit), String(bytes))
        limitSwap(path, version, bytes)
        return group
      } catch {
        group.remove()
      }
    }
    return undefined
  }

  /** A command that runs the one behind it in this group. */
  get prefix(): readonly string[] {
    const enter = `echo $$ > ${join(this.#path, 'cgroup.procs')} && exec "$@"`
    return ['sh', '-c', enter, 'sh']
  }

  /** Processes that were killed because the group had no memory left. */
  get kills(): number {
    const events = readFileSync(join(this.#path, this.#version.events), 'utf8')
    return Number(/^oom_kill (\d+)/m.exec(events)?.[1] ?? 0)
  }

  /** Once its processes are gone. */
  remove(): void {
    rmdirSync(this.#path)
  }
}

function allowMemory(root: string): void {
  const file = join(root, 'cgroup.subtree_control')
  if (!readFileSync(file, 'utf8').includes('memory')) writeFileSync(file, '+memory')
}

/** Where there is no swap there is no file. */
function limitSwap(path: string, { limit, swap }: Version, bytes: number): void {
  try {
    writeFileSync(join(path, swap), limit === 'memory.max' ? '0' : String(bytes))
  } catch {
    // As above.
  }
}
