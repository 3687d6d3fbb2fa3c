/**
 * The profiles with which an administrator enables diagnosis by models: the schema of the file that
 * `--diagnosis-profiles` names. A ChaosDemo can only select one of them by name.
 */
import { duration } from '@chaosdemo/settings/values';
import { z } from 'zod';

const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'write a name of up to 63 lower-case letters, digits and -')
  .refine(
    (value) => value !== 'rules',
    'the profile "rules" is always there and follows rules: write another name',
  );

const path = z.string().min(1).max(1024);

const model = z
  .strictObject({
    name,
    /** The protocol: `POST {baseURL}/chat/completions`, or `POST {baseURL}/messages`. */
    kind: z.enum(['openai-compatible', 'anthropic'], 'write kind: openai-compatible or anthropic'),
    baseURL: z
      .string()
      .max(512)
      .refine(
        isPlainUrl,
        'write an http or https URL without user, query or fragment, such as https://models.example/v1',
      ),
    model: z.string().min(1).max(128),
    /** Read again for each question, so that a Secret may change. */
    apiKeyFile: path.optional(),
    /** PEM; replaces the default authorities. */
    caFile: path.optional(),
    /** For one question, all attempts together; milliseconds. A run waits no longer than a minute for a diagnosis. */
    timeout: duration('1s', '50s', '45s').schema.prefault('45s'),
    /** After the first attempt, if the server is busy, fails or disconnects. */
    retries: z.int().min(0).max(5).default(2),
    /** The evidence is thinned out to this. */
    maxInputTokens: z.int().min(1000).max(1_000_000).default(16_000),
    maxOutputTokens: z.int().min(128).max(32_000).default(2000),
    /** Reasoning models take `max_completion_tokens`, and no temperature. */
    reasoning: z.boolean().default(false),
    tokensPerDay: z.int().min(1).max(1_000_000_000).optional(),
  })
  .superRefine((profile, context) => {
    const issue = (message: string, member: string): void =>
      context.addIssue({ code: 'custom', message, path: [member] });
    if (profile.kind === 'anthropic' && profile.apiKeyFile === undefined) {
      issue('is needed: write the path of a file with the API key', 'apiKeyFile');
    }
    if (!isPlainUrl(profile.baseURL)) return;
    const { hostname, protocol } = new URL(profile.baseURL);
    if (protocol === 'http:' && profile.apiKeyFile !== undefined && !isLoopback(hostname)) {
      issue('would go over the network unencrypted: write an https baseURL', 'apiKeyFile');
    }
    if (protocol === 'http:' && profile.caFile !== undefined) {
      issue('has no use with http: write an https baseURL, or leave it out', 'caFile');
    }
  });

const file = z.strictObject({
  profiles: z.array(model).superRefine((profiles, context) => {
    const seen = new Set<string>();
    for (const [index, each] of profiles.entries()) {
      if (seen.has(each.name))
        context.addIssue({ code: 'custom', message: 'is there twice', path: [index, 'name'] });
      seen.add(each.name);
    }
  }),
});

/** A profile that uses a model. */
export type ModelProfile = z.infer<typeof model>;

/** Validates the parsed YAML or JSON of a file of profiles. Pure. @throws an error with all problems, without values */
export function parseProfiles(content: unknown): ModelProfile[] {
  const result = file.safeParse(content);
  if (result.success) return result.data.profiles;
  throw new Error(`these profiles cannot be used:\n${z.prettifyError(result.error)}`);
}

function isPlainUrl(written: string): boolean {
  if (!URL.canParse(written)) return false;
  const { hash, password, protocol, search, username } = new URL(written);
  return /^https?:$/.test(protocol) && !username && !password && !search && !hash;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
