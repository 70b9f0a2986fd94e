/** build.yml: what a project builds. Its schema is schemas/build.schema.json. */
export interface BuildFile {
  definition: string;
  description?: string;
  parameters?: Record<string, string | number | boolean>;
  uploads?: Record<string, string>;
  images?: Record<string, string>;
  roles?: Record<string, 'job' | 'pipeline'>;
  'max-parallel-steps'?: number;
}
