// A line of the log for people says what the JSON line says, in one line, and steers no terminal.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { configSchema } from '../../daemon/config.ts'
import { openLog } from '../../daemon/log.ts'
import { LogDestination } from '../../daemon/log-destination.ts'
import { logText } from '../../daemon/log-text.ts'
import { coloured, plain } from '../../terminal/paint.ts'
import { timeOfDay } from '../../daemon/time-of-day.ts'
import { ownFolder, warningList } from './folder.ts'

type Log = ReturnType<typeof openLog>

const address = (port: number) => `127.0.0.1:${port}`

/** The lines that a log file has. */
async function written(logFormat: 'text' | 'json' | 'auto', write: (log: Log) => void) {
  const path = join(ownFolder(), 'log')
  const { warnings } = warningList()
  const destination = new LogDestination({ path, retryMs: 20, warnings })
  onTestFinished(() => destination.dispose())
  const config = configSchema.parse({
    ...{ name: 'a', pair: 'p', told: 'primary', dir: '.', guest: 'kv', memoryBytes: 65536 },
    ...{ control: address(1), data: address(2), clients: address(3), peer: address(4) },
    ...{ logLevel: 'trace', logFormat },
  })
  write(openLog(config, destination))
  await destination.settled()
  return readFileSync(path, 'utf8').split(/(?<=\n)/)
}

/** What the log of a daemon writes as JSON, for people. */
async function linesOf(write: (log: Log) => void, paint = plain): Promise<string[]> {
  return (await written('json', write)).map((line) => logText(line, paint))
}

/** Of a line, behind its time. */
const saidIn = (line: string | undefined) => /^\d\d:\d\d:\d\d\.\d{3} (.*)\n$/s.exec(line ?? '')?.[1]

test('has the time, the level, the side, the words, and the fields that are not in each line', async () => {
  const [line] = await linesOf((log) => log.warn({ warning: 'log', count: 2 }, 'the disk is full'))
  expect(saidIn(line)).toBe('warn  a: the disk is full {warning=log, count=2}')
})

test('has each level in the same width, and without fields no brackets', async () => {
  const lines = await linesOf((log) => {
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const)
      log[level]('x')
  })
  expect(lines.map(saidIn)).toEqual([
    ...['trace a: x', 'debug a: x', 'info  a: x', 'warn  a: x', 'error a: x', 'fatal a: x'],
  ])
})

test('has a field that is no plain word as JSON, and cuts it where it is long', async () => {
  const [line = ''] = await linesOf((log) => {
    log.info({ why: 'a b', stages: { x: 1 }, list: 'y'.repeat(1000) }, 'x')
  })
  expect(saidIn(line)).toMatch(/^info {2}a: x \{why="a b", stages=\{"x":1\}, list=y{119}…\}$/)
})

test('is one line, whatever a peer said', async () => {
  const [line] = await linesOf((log) =>
    log.error({ from: '\u001B[2J' }, 'one\ntwo\u001B[31m\u009B2J'),
  )
  expect(saidIn(line)).toBe(String.raw`error a: one\ntwo\u001b[31m\u009b2J {from="\u001b[2J"}`)
})

test('has colour on warnings and errors only', async () => {
  const lines = await linesOf((log) => {
    log.info('x')
    log.warn('x')
    log.error('x')
  }, coloured)
  expect(lines.map(saidIn)).toEqual([
    ...['info  a: x', '\u001B[33mwarn \u001B[0m a: x', '\u001B[31merror\u001B[0m a: x'],
  ])
})

test('is JSON in a file, unless text is asked for', async () => {
  const write = (log: Log) => log.info({ count: 1 }, 'x')
  const [[auto = ''], [json = ''], [text = '']] = [
    await written('auto', write),
    await written('json', write),
    await written('text', write),
  ]
  const fields = { level: 30, pair: 'p', name: 'a', pid: process.pid, count: 1, msg: 'x' }
  for (const line of [auto, json]) {
    expect(JSON.parse(line)).toEqual({ ...fields, time: expect.any(Number) })
  }
  expect(saidIn(text)).toBe('info  a: x {count=1}')
})

test('has the time on the clock of this machine', () => {
  const date = new Date(2026, 0, 2, 3, 21, 7, 512)
  expect(timeOfDay(date.getTime())).toBe('03:21:07.512')
})
