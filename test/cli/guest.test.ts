// `colo guest inspect` and `colo guest rewrite` on the shipped guests and on files that are none.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ModuleDescription } from '../../keepers/wasm/dirty-log/description.ts'
import { addDirtyLog, isRewritten } from '../../keepers/wasm/dirty-log/rewrite.ts'
import { WebAssembly } from '../../shared/memory/webassembly.ts'
import { guestBytes, guestFile } from '../guests/host.ts'
import { type GuestParts, madeGuest } from '../guests/made-guest.ts'
import { inFolder, inside, Running } from './command.ts'

const MEMORY_BYTES = 64 * 2 ** 20

describe('colo guest inspect', () => {
  it('says how the shipped guest is protected, and what it consists of', async () => {
    const { code, stdout, stderr } = await inside('guest', 'inspect', guestFile('kv'))
    expect(stdout).toMatch(/^protection +log: \d+ stores and \d+ bulk operations marked/m)
    expect(stdout).toMatch(/^memory +imported, 256\.0 KiB at its start/m)
    expect(stdout).toMatch(/function colo_input/)
    expect(stdout).toMatch(/^features +bulk memory/m)
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('says it to a script', async () => {
    const { code, stdout } = await inside('guest', 'inspect', guestFile('kv'), '-f', 'json')
    const told = JSON.parse(stdout) as ModuleDescription & { file: string }
    expect(told).toMatchObject({ file: guestFile('kv'), protection: 'log', reasons: [] })
    expect(told.log).toMatchObject({ tableBytes: 65536, memoryBytesMax: MEMORY_BYTES })
    expect(told.parts?.imports).toContainEqual({ name: 'env.memory', kind: 'memory' })
    expect(code).toBe(0)
  })

  it('lists every reason of a module that can not be protected, and ends with 1', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'empty.wasm')
      writeFileSync(file, Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
      const { code, stdout, stderr } = await inside('guest', 'inspect', file)
      expect(stdout).toContain('not protected')
      expect(stdout).toContain('it has no memory')
      expect(stdout).toContain('it does not export the function colo_open')
      expect(stderr).toContain("can't be protected, for 6 reasons")
      expect(code).toBe(1)
    })
  })

  it('tells which globals the pair exports itself, and where the version comes from', async () => {
    const { code, stdout } = await inside('guest', 'inspect', guestFile('words'))
    expect(stdout).toMatch(/^contract +version 1, by the function colo_abi$/m)
    expect(stdout).toMatch(/mutable i32 number 0, hidden: exported as colo_global_0$/m)
    expect(code).toBe(0)
  })

  it.each<[string, GuestParts, string]>([
    [
      'an address',
      { abiGlobal: [0x7f, 0, 0x41, 0x80, 8] },
      'colo_abi is 1024, which is an address',
    ],
    ['another version', { abi: [0, 0x41, 2] }, 'colo_abi is 2, and this host speaks version 1'],
  ])('refuses a colo_abi that is %s, and ends with 1', async (_, parts, words) => {
    await inFolder(async (folder) => {
      const file = join(folder, 'guest.wasm')
      writeFileSync(file, madeGuest(parts))
      const { code, stdout } = await inside('guest', 'inspect', file)
      expect(stdout).toContain(words)
      expect(code).toBe(1)
    })
  })

  it('says scan where only the log is refused', async () => {
    await inFolder(async (folder) => {
      const [file, log] = [
        join(folder, 'log.wasm'),
        addDirtyLog(guestBytes('kv'), MEMORY_BYTES * 2),
      ]
      writeFileSync(file, isRewritten(log) ? log.bytes : '')
      const { code, stdout } = await inside('guest', 'inspect', file)
      expect(stdout).toMatch(
        /^protection +scan: no dirty log, because of: an export named colo_mark_dirty/m,
      )
      expect(code).toBe(0)
    })
  })

  it.each([
    ['is no module', Buffer.from('#!/bin/sh'), 1, 'no WebAssembly module'],
    ['is not there', undefined, 2, 'no such file'],
  ])('says of a file that it %s', async (_, bytes, exitCode, words) => {
    await inFolder(async (folder) => {
      const file = join(folder, 'guest.wasm')
      if (bytes !== undefined) writeFileSync(file, bytes)
      const { code, stdout, stderr } = await inside('guest', 'inspect', file)
      expect(stdout).toBe('')
      expect(stderr).toContain(words)
      expect(code).toBe(exitCode)
    })
  })
})

describe('colo guest rewrite', () => {
  it('writes the module that a pair would run, to a file and to standard output', async () => {
    await inFolder(async (folder) => {
      const output = join(folder, 'out.wasm')
      const { code, stderr } = await inside('guest', 'rewrite', guestFile('kv'), output)
      expect(stderr).toMatch(
        /^\d+ writes marked; guest memory begins at byte 65536; code \d+ -> \d+ bytes\n$/,
      )
      expect(code).toBe(0)
      const log = addDirtyLog(guestBytes('kv'), MEMORY_BYTES)
      expect(isRewritten(log) && readFileSync(output).equals(log.bytes)).toBe(true)
      const running = new Running(['guest', 'rewrite', guestFile('kv'), '-'])
      expect((await running.ended).code).toBe(0)
      expect(running.bytes.equals(readFileSync(output))).toBe(true)
    })
  })

  it('names what stands in the way, and writes nothing', async () => {
    await inFolder(async (folder) => {
      const [once, twice] = [join(folder, 'once.wasm'), join(folder, 'twice.wasm')]
      await inside('guest', 'rewrite', guestFile('kv'), once)
      const { code, stderr } = await inside('guest', 'rewrite', once, twice)
      expect(stderr).toContain("can't be rewritten (an export named colo_mark_dirty")
      expect(stderr).toContain('colo guest inspect')
      expect(code).toBe(1)
      expect(existsSync(twice)).toBe(false)
    })
  })

  it('says that the output can not be written', async () => {
    await inFolder(async (folder) => {
      const nowhere = join(folder, 'none', 'out.wasm')
      const { code, stderr } = await inside('guest', 'rewrite', guestFile('kv'), nowhere)
      expect(stderr).toContain('make it first (ENOENT)')
      expect(code).toBe(2)
    })
  })
})

describe('both', () => {
  it('read standard input, and say what a file is that is no module', async () => {
    const inspected = new Running(['guest', 'inspect', '-'], guestBytes('kv'))
    expect((await inspected.ended).stdout).toMatch(/^module +-, \d+ bytes/)
    const rewritten = new Running(['guest', 'rewrite', '-', '-'], guestBytes('kv'))
    expect((await rewritten.ended).code).toBe(0)
    expect(WebAssembly.validate(new Uint8Array(rewritten.bytes))).toBe(true)
    const stream = new Running(['guest', 'inspect', '-'], Buffer.from('QEVM\0\0\0\x03'))
    const { code, stderr } = await stream.ended
    expect(code).toBe(1)
    expect(stderr).toContain('it is a migration stream of QEMU: colo decode reads it')
  })

  it('name the file that cannot be read, and leave the one alone that is', async () => {
    await inFolder(async (folder) => {
      const read = await inside('guest', 'inspect', folder)
      expect(read.code).toBe(2)
      expect(read.stderr).toContain(`colo: ${folder}: it is a folder: name a file (EISDIR)`)
      const file = join(folder, 'guest.wasm')
      writeFileSync(file, guestBytes('kv'))
      const same = await inside('guest', 'rewrite', file, file)
      expect(same.code).toBe(2)
      expect(same.stderr).toContain('name another file')
      expect(readFileSync(file).equals(guestBytes('kv'))).toBe(true)
    })
  })
})
