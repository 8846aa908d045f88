// `colo up`: a whole pair on this machine, in one command. It launches both daemons, waits until they protect
// the guest, shows them live, breaks them on request, and ends with a verdict: 0 only if nothing that a client
// was told is lost and the pair ended as it should.

import { Option, type Command } from 'commander'
import { LIMITS } from '../shared/protocol/limits.ts'
import { addDelayOptions, addGuestOptions, argument, type DelayOptions } from './daemon-options.ts'
import { teach } from '../terminal/help.ts'
import { parseInjection, type Injection } from './up/injections.ts'
import type { UpOptions } from './up/options.ts'
import { runUp } from './up/run-up.ts'
import { parseCount, parseDuration } from '../terminal/units.ts'

const BASE_PORT = 6380

function injection(kind: Injection['kind'], words: string): Option {
  const parse = argument((text) => parseInjection(kind, text))
  return new Option(`--${kind} <role@time>`, words)
    .argParser<Injection[]>((text, before) => [...before, parse(text)])
    .default([], 'none')
}

const parsePort = (text: string) => (text === 'auto' ? 'auto' : parseCount(text, 1, 65534))

export function addUp(program: Command): void {
  const command = program
    .command('up')
    .description('launch a pair on this machine, show it live, break it on request')
  addGuestOptions(command)
    .addOption(
      new Option('--port <base>', 'clients come to this port and the next one, or auto')
        .argParser(argument(parsePort))
        .default(BASE_PORT),
    )
    .addOption(
      new Option('--load <n>', 'so many connections write, and check every acknowledged write')
        .argParser(argument((text) => parseCount(text, 1, LIMITS.connectionsMax)))
        .hideHelp(false),
    )
    .addOption(injection('kill', 'SIGKILL whoever holds the role then; repeatable'))
    .addOption(injection('hang', 'SIGSTOP whoever holds the role then; repeatable'))
    .addOption(
      new Option('--hang-for <time>', 'how long until a hung side continues')
        .argParser(argument(parseDuration))
        .default(3000, '3s'),
    )
    .option('--respawn', 'a killed daemon comes back as a fresh secondary', false)
    .addOption(
      new Option('--for <time>', 'end by itself so long after the first protected').argParser(
        argument(parseDuration),
      ),
    )
    .addOption(
      new Option('-f, --format <format>', 'json: one object on standard output, at the end')
        .choices(['text', 'json'])
        .default('text'),
    )
  addDelayOptions(command, true).action(
    async (options: Omit<UpOptions, 'port'> & DelayOptions & { port: number | 'auto' }) => {
      const { port, ...rest } = options
      await runUp({ ...rest, port: port === 'auto' ? undefined : port })
    },
  )
  teach(command, {
    when:
      'to see what the pair does, and to test a failover: the times of --kill, --hang and --for count from\n' +
      '  the first `protected`; an injection waits until the pair is protected, and says so.',
    examples: [
      ['colo up', 'a pair around the shipped guest, until Ctrl-C'],
      ['colo up --for 12s --load 8 --kill primary@4s --respawn --kill primary@8s', 'two failovers'],
      [
        'colo up --hang primary@2s --for 8s --load 4 --format json',
        'a hung primary comes back, halts',
      ],
      ['colo up --port auto --guest my.wasm --memory 16M', 'your own guest, on free ports'],
    ],
  })
}
