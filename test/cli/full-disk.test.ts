// Output that cannot be written is an error, and is told; a reader that has heard enough is none.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { madeStream } from '../ber/made-stream.ts'
import { checkpointedStream, join as joinBytes } from '../formats/streams.ts'
import { guestFile } from '../guests/host.ts'
import { COLO, inFolder } from './command.ts'

const FULL = '/dev/full'
const quoted = (text: string) => `'${text}'`

/** Runs in a shell, with files of a stream of each kind; gives what is left on standard error. */
async function inShell(args: readonly string[], redirection: string) {
  return inFolder((folder) => {
    const files = {
      XEN: joinBytes(checkpointedStream('colo', 3)),
      QEMU: madeStream('whole'),
      WASM: readFileSync(guestFile('kv')),
    }
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)
    const line = [process.execPath, COLO, ...args].map(quoted).join(' ')
    const script = `set -o pipefail; ${line} ${redirection}`
    const { status, stderr } = spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' })
    return Promise.resolve({ status, stderr })
  })
}

const VERBS: readonly (readonly string[])[] = [
  ['verify', 'XEN'],
  ['verify', 'XEN', '--format', 'json'],
  ['verify', '--annotate', 'PAGE_DATA'],
  ['decode', 'QEMU'],
  ['decode', 'QEMU', '--state'],
  ['decode', 'QEMU', '--at', '0'],
  ['decode', 'QEMU', '--trace'],
  ['guest', 'inspect', 'WASM'],
]
const MAKERS: readonly (readonly string[])[] = [
  ['convert', '--to', 'ber', 'QEMU', '-'],
  ['flatten', 'XEN', '-'],
  ['guest', 'rewrite', 'WASM', '-'],
]

describe.skipIf(!existsSync(FULL))(`a full disk (else there is no ${FULL})`, () => {
  it.each([...VERBS, ...MAKERS])('is told by %s %s %s', async (...args) => {
    const { status, stderr } = await inShell(args, `> ${FULL}`)
    expect(stderr).toMatch(/^colo: standard output: no space left there: .* \(ENOSPC\)\n/)
    expect(status).toBe(2)
  })

  it('of standard error changes nothing', async () => {
    for (const args of [...VERBS, ...MAKERS]) {
      expect(await inShell(args, `2> ${FULL}`)).toMatchObject({ status: 0 })
    }
    expect(await inShell(['decode', 'nowhere'], `2> ${FULL}`)).toMatchObject({ status: 2 })
  })
})

describe('a pipe that is closed early', () => {
  it.each(VERBS)('is no error of %s %s %s', async (...args) => {
    const { status, stderr } = await inShell(args, '| true')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it.each(MAKERS)('is one of %s %s %s', async (...args) => {
    const { status, stderr } = await inShell(args, '| true')
    // A pipe takes as much as this before anybody reads.
    if (status !== 0) expect([status, stderr]).toEqual([2, expect.stringContaining('EPIPE')])
  })
})
