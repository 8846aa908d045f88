// What the pages on commands show is what the commands print: each example is run on the file that it names, and
// held against the lines below it. A line `...`, or one that ends so, stands for what is left out.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readDocument } from '../docs/documents.ts'
import { corpusBytes, corpusFiles } from '../formats/corpus.ts'
import {
  CAPTURE_NAMES,
  captureBytes,
  channelBytes,
  CORPUS_MISSING,
  streamBytes,
} from '../qemu/corpus.ts'
import { COLO } from './command.ts'

const PAGES = ['docs/verify.md', 'docs/decode.md', 'docs/convert.md']
const SKIPPED = '...'
const isHere = CAPTURE_NAMES.length > 0 && corpusFiles().length > 0

/** The files that examples name, each made when it is wanted. */
const FILES: Readonly<Record<string, () => Uint8Array>> = {
  'tsc-mode.bin': () => {
    const file = corpusFiles().find((one) => one.file === 'xc-tsc-mode.bin')
    return file === undefined ? new Uint8Array() : corpusBytes(file)
  },
  'vm.mig': () => streamBytes('pc-default-bios'),
  'pc16_small.P.bin': () => captureBytes('pc16_small'),
}

interface Example {
  readonly page: string
  readonly command: string
  readonly lines: readonly string[]
}

function examplesOf(page: string): Example[] {
  const blocks = [...readDocument(page).matchAll(/^```(?:console)?\n([\s\S]*?)^```$/gm)]
  return blocks.flatMap(([, block = '']) => {
    return block
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const [command = '', ...lines] = text.trimEnd().split('\n')
        return { page, command, lines }
      })
  })
}

/** The lines shown, one after the other; those left out are passed over. */
function expectShown(lines: readonly string[], printed: readonly string[]): void {
  let at = 0
  let isGap = false
  for (const line of lines) {
    if (line === SKIPPED) {
      isGap = true
      continue
    }
    const isStart = line.endsWith(SKIPPED) && !printed.includes(line)
    const begin = isStart ? line.slice(0, -SKIPPED.length).trimEnd() : line
    const fits = (one: string) => (isStart ? one.startsWith(begin) : one === begin.trimEnd())
    const found = isGap ? printed.findIndex((one, index) => index >= at && fits(one)) : at
    const there = printed[found] ?? ''
    if (!fits(there)) expect(there).toBe(line)
    at = found + 1
    isGap = false
  }
  if (!isGap && lines.length > 0) expect(printed.slice(at)).toEqual([])
}

describe.skipIf(!isHere)(`the examples of the pages (else ${CORPUS_MISSING})`, () => {
  let folder = ''

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'colo-examples-'))
    const script = join(folder, 'colo')
    for (const channel of [1, 2]) {
      const path = join(folder, `pc-multifd.mig.ch${channel}`)
      writeFileSync(path, channelBytes('pc-multifd', channel))
    }
    writeFileSync(script, `#!/bin/sh\nexec '${process.execPath}' '${COLO}' "$@"\n`)
    chmodSync(script, 0o755)
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(PAGES.flatMap((page) => examplesOf(page)))('$page: $command', ({ command, lines }) => {
    const isOutput = (name: string) => name.endsWith('.ber') || name.startsWith('again')
    for (const [name] of command.matchAll(/[\w.-]+\.(?:mig|bin|ber)\b/g)) {
      const make = FILES[name] ?? (() => streamBytes(name.replace('.mig', '')))
      if (!isOutput(name)) writeFileSync(join(folder, name), make())
    }
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` }
    const run = spawnSync('bash', ['-c', command], { cwd: folder, env, maxBuffer: 2 ** 26 })
    const [stdout, stderr] = [run.stdout.toString(), run.stderr.toString()]
    const printed = (stdout === '' ? stderr : stdout).trimEnd()
    if (!command.endsWith('json'))
      return expectShown(
        lines,
        printed.split('\n').map((one) => one.trimEnd()),
      )
    // An object is shown on as many lines as fit the page.
    const [shown = ''] = lines.join('').split(SKIPPED)
    expect(printed.replaceAll('\n', '').slice(0, shown.trimEnd().length)).toBe(shown.trimEnd())
  })
})
