// Names of a stream that would steer a terminal are shown and not obeyed, and JSON means the same.

import { describe, expect, it } from 'vitest'
import { plainText } from '../../terminal/plain-text.ts'
import { formatTable } from '../../terminal/table.ts'
import { madeStream } from '../ber/made-stream.ts'
import { Running } from './command.ts'

const ESCAPE = '\u001b[2J'
const NAME = 'pc.ram'
const HOSTILE = `p${ESCAPE}r`

/** The made stream with another name for a block, of the same length. */
function hostileStream(): Uint8Array {
  const text = Buffer.from(madeStream('whole')).toString('latin1')
  return Buffer.from(text.replaceAll(NAME, HOSTILE), 'latin1')
}

describe('text from a stream', () => {
  it('has its control characters shown', () => {
    expect(plainText(`a${ESCAPE}\u007f\u009b31m\tb\n`)).toBe('a\\u001b[2J\\u007f\\u009b31m\tb\n')
    const text = JSON.stringify({ name: HOSTILE, c1: '\u009b' })
    expect(JSON.parse(plainText(text))).toEqual(JSON.parse(text))
    expect(formatTable(['name'], [['a\nb']]).split('\n')).toEqual(['name', 'a\\nb'])
  })

  it.each([
    [[]],
    [['--at', '300']],
    [['--trace']],
    [['-f', 'json']],
    [['--at', '300', '-f', 'json']],
  ])('is so in what decode prints (%s)', async (args) => {
    expect(HOSTILE).toHaveLength(NAME.length)
    const { stdout, stderr } = await new Running(['decode', '-', ...args], hostileStream()).ended
    expect(stdout).toContain('p\\u001b[2Jr')
    expect(stdout + stderr).not.toContain('\u001b')
  })

  it('is so in what is wrong with it', async () => {
    const cut = hostileStream().subarray(0, 175)
    const { stderr, code } = await new Running(['decode', '-'], cut).ended
    expect(stderr).toMatch(/^colo: -: truncated at byte 175/)
    expect(stderr).not.toContain('\u001b')
    expect(code).toBe(1)
  })
})
