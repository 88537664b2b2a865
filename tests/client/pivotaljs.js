// npm's pivotaljs walks through a project: list, create, update, comment with a file, search, page.
'use strict';
const assert = require('assert');
const fs = require('fs');
const { promisify } = require('util');
const Pivotal = require('pivotaljs');

const client = new Pivotal(process.env.TRACKER_TOKEN);
const call = (name, ...args) => promisify(client[name]).apply(client, args);
const pages = (name, project, limit) => new Promise((resolve, reject) => {
    const all = [];
    client[name](project, {}, (part, pagination, next) => { all.push(...part); next(); },
        (problem) => problem ? reject(new Error(JSON.stringify(problem))) : resolve(all), 0, limit);
});

async function walk() {
    const project = (await call('getProjects'))[0];
    assert.strictEqual(project.kind, 'project');
    assert.ok((await call('getMemberships', project.id)).every((one) => one.person.name));

    const made = await call('createStory', project.id, { name: 'From outside', estimate: project.point_scale.split(',').map(Number)[1] });
    assert.strictEqual(made.kind, 'story');
    assert.strictEqual(made.current_state, 'unscheduled');
    const changed = await call('updateStory', project.id, made.id, { current_state: 'started', labels: ['Outside', 'client'] });
    assert.strictEqual(changed.current_state, 'started');
    assert.deepStrictEqual(changed.labels.map((one) => one.name).sort(), ['client', 'outside']);
    assert.strictEqual((await call('getStory', made.id)).name, 'From outside');

    assert.strictEqual((await call('addTask', project.id, made.id, 'one thing', 1)).position, 1);
    assert.deepStrictEqual((await call('getTasks', project.id, made.id)).map((one) => one.description), ['one thing']);
    assert.strictEqual((await call('addStoryLabel', project.id, made.id, 'third')).name, 'third');
    assert.strictEqual((await call('getStoryLabels', project.id, made.id)).length, 3);
    assert.strictEqual((await call('createLabel', project.id, 'fourth')).name, 'fourth');
    assert.ok((await call('getLabels', project.id)).some((one) => one.name === 'fourth'));

    fs.writeFileSync(process.env.SCRATCH + '/note.txt', 'from outside\n');
    const comment = await call('postAttachment', project.id, made.id, process.env.SCRATCH + '/note.txt', 'text/plain', 'see the file');
    assert.strictEqual(comment.text, 'see the file');
    assert.strictEqual((await call('getComments', project.id, made.id)).length, 1);

    const found = await promisify(client.api).call(client, 'get', 'projects/' + project.id + '/search', { qs: { query: 'label:outside' } });
    assert.deepStrictEqual(found.stories.stories.map((one) => one.id), [made.id]);

    const stories = await pages('getStories', project.id, 20);
    assert.strictEqual(new Set(stories.map((one) => one.id)).size, stories.length);
    assert.ok(stories.length > 40 && stories.some((one) => one.id === made.id));
    const activity = await pages('getActivity', project.id, 500);
    assert.strictEqual(activity[0].kind, 'comment_create_activity');
    assert.ok((await call('getStoryActivity', project.id, made.id)).some((one) => one.kind === 'story_create_activity'));
    assert.ok((await pages('getIterations', project.id, 50)).some((one) => one.stories.some((story) => story.id === made.id)));
    assert.strictEqual((await call('getCurrentIterations', project.id)).length, 1);

    const refused = await call('updateStory', project.id, made.id, { estimate: 'many' });
    assert.strictEqual(refused.kind, 'error');
    assert.strictEqual(refused.code, 'invalid_parameter');
}
walk().then(() => console.log('pivotaljs: ok'), (problem) => { console.error(problem); process.exit(1); });
