// Files of the wrong kind, cut off at their beginning, not there, or given twice: one line that names the file and
// the way out, an exit code, JSON that can be parsed, and nothing left behind.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { madeStream } from '../ber/made-stream.ts'
import { checkpointedStream, join as joinBytes, plainStream } from '../formats/streams.ts'
import { guestFile } from '../guests/host.ts'
import { COLO, colo, inFolder, Running } from './command.ts'

const qemu = madeStream('whole')
const FILES: Readonly<Record<string, Uint8Array>> = {
  xen: joinBytes(checkpointedStream('colo', 3)),
  qemu,
  ber: Uint8Array.of(0x7f, 0xd1, 0x46, 0x80, 2, 1, 3),
  wasm: readFileSync(guestFile('kv')),
  gzip: gzipSync(qemu),
  text: Buffer.from('no stream of anything\n'),
  ahead: joinBytes([Buffer.from('hello\n'), qemu]),
  empty: new Uint8Array(),
}

/** Runs with the files beside each other; their folder is cut out of what is said. */
async function withFiles(line: string) {
  return inFolder(async (folder) => {
    for (const [name, bytes] of Object.entries(FILES)) writeFileSync(join(folder, name), bytes)
    mkdirSync(join(folder, 'folder'))
    const words = line.split(' ').map((word) => word.replace('@', `${folder}/`))
    const ended = await colo(...words)
    const left = readdirSync(folder).filter((name) => !Object.hasOwn(FILES, name))
    const text = (said: string) => said.replaceAll(`${folder}/`, '')
    return { ...ended, stdout: text(ended.stdout), stderr: text(ended.stderr), left }
  })
}

describe('a file of another kind', () => {
  it.each([
    ['decode @xen', "xen: bad-magic .*; it is a stream of Xen's libxl: colo verify reads it"],
    ['decode @ber --state', 'it is BER of .*: colo convert --to binary reads it'],
    ['decode @gzip --trace', 'it is packed by gzip: zcat FILE \\| colo decode -'],
    ['decode @wasm --desc', 'wasm: bad-magic .*colo guest inspect reads it'],
    ['decode @ahead', 'begins at byte 6: tail -c \\+7 FILE \\| colo decode -'],
    [
      'convert --to ber @ahead @out',
      'begins at byte 6: tail -c \\+7 FILE \\| colo convert --to ber -',
    ],
    ['decode @text --desc', 'text: bad-magic at byte 0'],
    ['decode @text --compat', 'text: bad-magic at byte 0'],
    ['convert --to ber @xen @out', "it is a stream of Xen's libxl: colo verify reads it"],
    ['convert --to binary @gzip @out', 'zcat FILE \\| colo convert --to binary -'],
    ['flatten @qemu @out', 'it is a migration stream of QEMU: colo decode reads it'],
    ['guest inspect @qemu', 'it is a migration stream of QEMU: colo decode reads it'],
  ])('%s', async (line, words) => {
    const { code, stdout, stderr, left } = await withFiles(line)
    expect(stderr).toMatch(new RegExp(`^colo: .*${words}.*\\n$`))
    expect({ code, stdout, left }).toEqual({ code: 1, stdout: '', left: ['folder'] })
  })

  it('is told by verify as its verdict', async () => {
    const { code, stdout } = await withFiles('verify -q @qemu')
    expect(stdout).toMatch(/it is a migration stream of QEMU: colo decode reads it\n$/)
    expect(code).toBe(1)
    expect((await withFiles('verify -q @xen')).stdout).not.toContain('reads it')
  })
})

const UNREADABLE = [
  ['nowhere', 'there is no such file (ENOENT)'],
  ['folder', 'it is a folder: name a file (EISDIR)'],
  ['text/below', 'a part of the path is a file, not a folder (ENOTDIR)'],
  ['\uFFFD', 'a name that is not UTF-8 cannot be given: give - and redirect (ENOENT)'],
] as const

const UNWRITABLE = [
  ['nowhere/out', 'the folder that it is to lie in is not there: make it first (ENOENT)'],
  ['folder', 'it is a folder: name a file (EISDIR)'],
  ['text/below', 'a part of the path is a file, not a folder (ENOTDIR)'],
] as const

describe('a file that cannot be written', () => {
  it.each(['convert --to ber @qemu', 'flatten @xen', 'guest rewrite @wasm'])(
    'is named by %s',
    async (verb) => {
      for (const [name, reason] of UNWRITABLE) {
        const { code, stderr, left } = await withFiles(`${verb} @${name}`)
        expect(stderr).toBe(`colo: ${name}: ${reason}\n`)
        expect({ code, left }).toEqual({ code: 2, left: ['folder'] })
      }
    },
  )

  it('is named where it should be a folder', async () => {
    const { code, stderr } = await withFiles('decode @qemu --ram @text')
    expect(stderr).toBe(
      'colo: text: a file is there already, where a folder is wanted: name another place (EEXIST)\n',
    )
    expect(code).toBe(2)
  })
})

describe('a recording that has no checkpoint', () => {
  it('is told whether it was cut off, or is none', async () => {
    const none = new Running(['flatten', '-', '-'], joinBytes(plainStream()))
    expect((await none.ended).stderr).toContain('in it: a saved image, which is flat as it is')
    const cut = new Running(
      ['flatten', '-', '-'],
      joinBytes(checkpointedStream('colo', 1)).subarray(0, 90),
    )
    expect((await cut.ended).stderr).toMatch(/in it: it is cut off in 'libxc: /)
  })
})

describe('a folder for temporary files that is not there', () => {
  it('is named, and not the pipe', () => {
    const args = [COLO, 'convert', '--to', 'ber', '-', '/dev/null']
    const env = { ...process.env, TMPDIR: '/nowhere' }
    const { status, stderr } = spawnSync(process.execPath, args, { input: qemu, env })
    expect(stderr.toString()).toMatch(/^colo: \/nowhere \(TMPDIR\), .*make it first \(ENOENT\)\n$/)
    expect(status).toBe(2)
  })
})

describe('a file that cannot be read', () => {
  it.each(['verify', 'decode', 'decode --state', 'decode --ram @images', 'guest inspect'])(
    'is named by %s',
    async (verb) => {
      for (const [name, reason] of UNREADABLE) {
        const { code, stderr, left } = await withFiles(`${verb} @${name}`)
        expect(stderr).toBe(`colo: ${name}: ${reason}\n`)
        expect({ code, left }).toEqual({ code: 2, left: ['folder'] })
      }
    },
  )

  it('is not standard input twice', async () => {
    for (const args of [
      ['verify', '--with-forward', '-', '-'],
      ['decode', '-', '--diff', '-'],
      ['decode', '-', '--desc-from', '-', '--state'],
    ]) {
      const { code, stderr } = await new Running(args, qemu).ended
      expect(stderr).toContain('standard input is one stream')
      expect(code).toBe(2)
    }
  })
})

describe('JSON', () => {
  it.each(['decode @empty -f json', 'decode @text -f json', 'verify @empty --format json'])(
    'can be parsed: %s',
    async (line) => {
      const { code, stdout } = await withFiles(line)
      expect(JSON.parse(stdout)).toBeTypeOf('object')
      expect(code).toBe(1)
    },
  )

  it('has the files of --ram', async () => {
    const { code, stdout } = await withFiles('decode @qemu --ram @folder/images -f json')
    const { blocks, pages, error } = JSON.parse(stdout) as {
      blocks: { block: string; file: string }[]
      pages: number
      error: unknown
    }
    expect(blocks.every(({ file }) => file.startsWith('folder/images/'))).toBe(true)
    expect(blocks.length).toBeGreaterThan(0)
    expect(pages).toBeGreaterThan(0)
    // The XBZRLE page of the stream is none that can be unpacked.
    expect({ code, error }).toMatchObject({ code: 1, error: { code: 'bad-ram' } })
  })

  it('is not of what has none', async () => {
    const { code, stderr } = await withFiles('decode @qemu --trace -f json')
    expect(stderr).toContain('leave -f json out')
    expect(code).toBe(2)
  })
})

describe.skipIf(!existsSync('/proc/self'))('a folder that nobody can make', () => {
  it('is an error, and no endless one', async () => {
    const { code, stderr } = await withFiles('decode @qemu --ram /proc/nowhere/below')
    expect(stderr).toContain('no folder can be made there: name another place (ENOENT)')
    expect(code).toBe(2)
  })
})
