// The command line under test: in this process, where only its words matter, or as a process of its own.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { main } from '../../cli/program.ts'

export const COLO = join(import.meta.dirname, '..', '..', 'dist', 'bin', 'colo.cjs')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a verb in this process. */
export async function inside(...args: string[]): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  const listen = (name: 'stdout' | 'stderr') =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += String(text)
      return true
    })
  const spies = [listen('stdout'), listen('stderr')]
  try {
    return { code: await main(args), ...said }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

/** A running `colo`, and how it ended. */
export class Running {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  stdout: Buffer[] = []
  stderr = ''

  constructor(args: readonly string[], input?: Uint8Array) {
    this.process = spawn(process.execPath, [COLO, ...args], { stdio: 'pipe' })
    this.process.stdout?.on('data', (bytes: Buffer) => this.stdout.push(bytes))
    this.process.stderr?.on('data', (bytes: Buffer) => (this.stderr += bytes.toString()))
    this.process.stdin?.on('error', () => {})
    this.process.stdin?.end(input)
    this.ended = once(this.process, 'close').then(([code]) => {
      const stdout = Buffer.concat(this.stdout).toString()
      return { code: code as number | null, stdout, stderr: this.stderr }
    })
  }

  get bytes(): Buffer {
    return Buffer.concat(this.stdout)
  }
}

/** Runs a verb as a process. */
export async function colo(...args: string[]): Promise<Ended> {
  return new Running(args).ended
}

/** A folder that is gone after `use`. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'colo-cli-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
