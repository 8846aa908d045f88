// `colo verify` as people use it: files and pipes of any size, listings, findings, verdicts and exit
// codes, in text and in JSON.

import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LIBXC } from '../../formats/xen/libxc-records.ts'
import { LIBXL } from '../../formats/xen/libxl-records.ts'
import { fixedRecords } from '../../formats/xen/record-encoder.ts'
import type { Verdict } from '../../formats/xen/verify/finding.ts'
import { corpusBytes, corpusFiles } from '../formats/corpus.ts'
import * as streams from '../formats/streams.ts'
import { COLO, colo, inFolder, Running } from './command.ts'

const plain = streams.join(streams.plainStream())
const forward = streams.join(streams.checkpointedStream('colo', 3))
const back = streams.join(streams.backStream(2))
const damaged = plain.with(7, 0x75)

const joinBytes = (text: string, bytes: Uint8Array) =>
  streams.join([new TextEncoder().encode(text), bytes])

interface Json extends Verdict {
  readonly form: string
  readonly shown: readonly { readonly code: string; readonly offset: number }[]
}

describe('colo verify', () => {
  it('lists a sound stream and ends with 0', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'stream')
      writeFileSync(file, forward)
      const { code, stdout } = await colo('verify', file)
      expect(stdout).toMatch(
        /^ +0 {2}libxl header +version 2\n +16 {2}libxl LIBXC_CONTEXT +0 bytes\n/,
      )
      expect(stdout).toMatch(/libxc PAGE_DATA × 2 +\d+ bytes {2}4 pfns\n/)
      expect(stdout).toMatch(/: valid: libxl stream, failover, .*3 checkpoints in \d+ bytes;.*\n$/)
      expect(code).toBe(0)
    })
  })

  it('shows a finding below its record and ends with 1', async () => {
    const parts = streams.plainStream()
    parts[9] = parts[9].with(8, 7)
    const offset = streams.join(parts.slice(0, 9)).length
    const running = new Running(['verify', '-'], streams.join(parts))
    const { code, stdout } = await running.ended
    const lines = stdout.split('\n')
    const at = lines.findIndex((line) => line.includes('X86_TSC_INFO'))
    expect(lines[at + 1]).toContain(
      `!! error bad-value at byte ${offset + 8}, record 6, X86_TSC_INFO`,
    )
    expect(lines[at + 1]).toContain('the TSC mode must be 0 to 3; found 7 (3, libxc stream)')
    expect(stdout).toContain('-: invalid: ')
    expect(code).toBe(1)
  })

  it('is the same in one process as on its own, in text and in JSON', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'stream')
      writeFileSync(file, damaged)
      for (const format of ['text', 'json']) {
        const args = ['verify', '-q', '--format', format, file]
        const [alone, together] = [await colo(...args), await colo(...args)]
        expect(together).toEqual(alone)
      }
    })
  })

  it('speaks JSON', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'stream')
      writeFileSync(file, damaged)
      const { code, stdout } = await colo('verify', '-f', 'json', '--form', 'libxl', file)
      const said = JSON.parse(stdout) as Json
      expect(said).toMatchObject({ form: 'libxl', judgement: 'invalid', ending: 'lost' })
      expect(said.shown).toMatchObject([{ code: 'bad-magic', offset: 0 }])
      expect(code).toBe(1)
    })
  })

  it('counts what it does not show', async () => {
    const bad = streams.pageData([[1, 13]]).with(23, 0x50)
    const parts = streams.plainStream().toSpliced(7, 2, ...Array.from({ length: 25 }, () => bad))
    await inFolder(async (folder) => {
      const file = join(folder, 'stream')
      writeFileSync(file, streams.join(parts))
      const few = await colo('verify', '-q', file)
      expect(few.stdout.match(/bad-page-type at/g)).toHaveLength(10)
      expect(few.stdout).toContain('15 more: error bad-page-type of PAGE_DATA')
      const all = await colo('verify', '-q', '--all', file)
      expect(all.stdout.match(/bad-page-type at/g)).toHaveLength(25)
    })
  })

  it('holds a back channel against its forward stream', async () => {
    await inFolder(async (folder) => {
      const [there, here] = [join(folder, 'forward'), join(folder, 'back')]
      writeFileSync(there, forward)
      writeFileSync(here, back)
      const good = await colo('verify', '-q', '--form', 'back', '--with-forward', there, here)
      expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/valid.*\n.*valid/) })
      writeFileSync(there, streams.join(streams.checkpointedStream('colo', 2)))
      const bad = await colo('verify', '-q', '--with-forward', there, here)
      expect(bad.code).toBe(1)
      expect(bad.stdout).toContain('out-of-step')
    })
  })

  it('holds it against nothing where the forward stream is none', async () => {
    await inFolder(async (folder) => {
      const [there, here] = [join(folder, 'forward'), join(folder, 'back')]
      writeFileSync(there, 'QEVM, and more than a header has')
      writeFileSync(here, back)
      const { code, stdout } = await colo('verify', '-q', '--with-forward', there, here)
      const [flaw, verdict, rest, own] = stdout.replaceAll(`${folder}/`, '').split('\n')
      expect(flaw).toContain('error bad-magic at byte 0')
      expect(verdict).toMatch(/^forward: invalid.*it is a migration stream of QEMU/)
      expect(rest).toBe('not held against forward, which was not judged to its end')
      expect(own).toMatch(/^back: valid/)
      expect(code).toBe(1)
      // The other way round.
      writeFileSync(there, forward)
      const swapped = await colo('verify', '-q', '--with-forward', here, there)
      expect(swapped.stdout).toContain(
        "it is COLO's back channel: colo verify --form back reads it",
      )
      expect(swapped.stdout).toContain("it is a stream of Xen's libxl: colo verify reads it")
    })
  })

  it('says where the stream begins that has something ahead of it', async () => {
    const text = new Running(['verify', '-'], joinBytes('Last login: today\n', forward))
    const told = await text.ended
    expect(told.stdout).toMatch(
      /^ +!! error bad-magic at byte 0, text ahead.*begins at byte 18\n +18 {2}libxl header/,
    )
    expect(told.code).toBe(1)
    const binary = new Running(
      ['verify', '-q', '--format', 'json', '-'],
      joinBytes('\0\0', forward),
    )
    expect(JSON.parse((await binary.ended).stdout)).toMatchObject({
      ending: 'lost',
      hint: "a stream of Xen's libxl begins at byte 2: tail -c +3 FILE | colo verify -",
    })
  })

  it.each([
    [['/nowhere/stream'], '/nowhere/stream: there is no such file (ENOENT)'],
    [['.'], '.: it is a folder: name a file (EISDIR)'],
    [[], 'give a file, or - for standard input'],
    [['--form', 'tape', 'x'], 'Allowed choices are auto, libxl'],
    [['-f', 'libxl', 'x'], 'Allowed choices are text, json (libxl is for --form: --form libxl)'],
    [['--form', 'libxl', '--with-forward', 'x', 'y'], '--with-forward is for a back channel'],
    [['--annotate', 'NOTHING'], "no record 'NOTHING'; there are END, "],
    [['a', 'b'], 'too many arguments'],
  ])('%j ends with 2', async (args, words) => {
    for (const ended of [await colo('verify', ...args), await colo('verify', ...args)]) {
      expect(ended).toMatchObject({ code: 2, stdout: '' })
      expect(ended.stderr).toMatch(/^colo: .+\n$/)
      expect(ended.stderr).toContain(words)
    }
  })

  it('draws every record', async () => {
    for (const { layer, name } of [...Object.values(LIBXL), ...Object.values(LIBXC)]) {
      const { code, stdout } = await colo('verify', '--annotate', `${layer} ${name}`)
      expect(code).toBe(0)
      expect(stdout).toContain(`(${name})`)
      const boxes = stdout.split('\n').filter((line) => /^[|/+]/.test(line))
      expect(boxes.length).toBeGreaterThan(3)
      expect(new Set(boxes.map((line) => line.length))).toEqual(new Set([65]))
    }
  })
})

describe('docs/verify.md', () => {
  const tscMode = corpusFiles().find(({ file }) => file === 'xc-tsc-mode.bin')

  it.skipIf(tscMode === undefined)(
    'shows what the command prints (needs ../shared/corpus)',
    async () => {
      const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'verify.md'), 'utf8')
      const [, shown] = /\$ colo verify tsc-mode\.bin\n([\s\S]*?)```/.exec(text) ?? []
      await inFolder(async (folder) => {
        const path = join(folder, 'tsc-mode.bin')
        if (tscMode !== undefined) writeFileSync(path, corpusBytes(tscMode))
        const { stdout } = await colo('verify', path)
        expect(stdout.replace(path, 'tsc-mode.bin')).toBe(shown)
      })
    },
  )
})

describe('colo verify --like-xen', () => {
  const picked = corpusFiles().filter((_, index) => index % 12 === 0)

  it.skipIf(picked.length === 0)(
    "ends as Xen's verifier does (needs ../shared/corpus)",
    async () => {
      await inFolder(async (folder) => {
        const path = join(folder, 'stream')
        for (const file of picked) {
          writeFileSync(path, corpusBytes(file))
          const ended = await colo('verify', '--like-xen', '--form', file.format, path)
          const said = (ended.stderr + ended.stdout).trim()
          expect([file.file, ended.code, said]).toEqual([file.file, file.exit, file.message])
        }
      })
    },
  )

  it('finds out what the stream is, through a pipe', async () => {
    const flat = streams.join(streams.pvStream().slice(2, -1))
    const { code, stdout } = await new Running(['verify', '--like-xen', '-'], flat).ended
    expect([code, stdout]).toEqual([0, 'OK\n'])
  })
})

/** The most memory that a process has had, in MiB. */
function peakMiB(pid: number): number {
  const [, kib = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

describe('a stream of 768 MiB', () => {
  it.skipIf(process.platform !== 'linux')(
    'goes through a pipe in no more than 120 MB (needs Linux, for /proc)',
    async () => {
      const pfns = Array.from({ length: 1024 }, (_, pfn) => [pfn, 0] as const)
      const pages = streams.pageData(pfns)
      const parts = streams.plainStream()
      const child = spawn(process.execPath, [COLO, 'verify', '-q', '-'])
      let said = ''
      child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
      const write = async (bytes: Uint8Array) => {
        if (!child.stdin.write(bytes))
          await new Promise((resolve) => child.stdin.once('drain', resolve))
      }
      await write(streams.join(parts.slice(0, 7)))
      for (let record = 0; record < 192; record++) await write(pages)
      // Alive still: it waits for the rest.
      const peak = peakMiB(child.pid ?? 0)
      child.stdin.end(streams.join([fixedRecords.LIBXC_END, fixedRecords.LIBXL_END]))
      const code = await new Promise((resolve) => child.once('close', resolve))
      expect(said).toContain('valid: libxl stream, complete, 198 records')
      expect(code).toBe(0)
      expect(peak).toBeLessThan(120_000_000 / 2 ** 20)
    },
  )
})
