export const id = 736;
export const ids = [736];
export const modules = {

/***/ 7736:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   run: () => (/* binding */ D)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8995);
/* harmony import */ var _chunk_YPODRW3R_mjs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(4845);
/* harmony import */ var _chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(7732);
/* harmony import */ var _chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(610);
/* harmony import */ var _chunk_P55HG5KR_mjs__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(324);
/* harmony import */ var _chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(6713);
/* harmony import */ var _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(7641);
/* harmony import */ var _chunk_GM7YGHNE_mjs__WEBPACK_IMPORTED_MODULE_7__ = __webpack_require__(3691);
/* harmony import */ var _chunk_UHDII3PW_mjs__WEBPACK_IMPORTED_MODULE_8__ = __webpack_require__(8688);
/* harmony import */ var _chunk_G4UZJIJ7_mjs__WEBPACK_IMPORTED_MODULE_9__ = __webpack_require__(2639);
/* harmony import */ var _chunk_ZR4G6GZX_mjs__WEBPACK_IMPORTED_MODULE_10__ = __webpack_require__(6109);
/* harmony import */ var _chunk_YK3ZHELR_mjs__WEBPACK_IMPORTED_MODULE_11__ = __webpack_require__(4253);
/* harmony import */ var _chunk_OVG45GFN_mjs__WEBPACK_IMPORTED_MODULE_12__ = __webpack_require__(4803);
/* harmony import */ var _chunk_ZVROI37F_mjs__WEBPACK_IMPORTED_MODULE_13__ = __webpack_require__(2059);
/* harmony import */ var _chunk_6PWCLDCG_mjs__WEBPACK_IMPORTED_MODULE_14__ = __webpack_require__(5923);
/* harmony import */ var _chunk_TG76KETQ_mjs__WEBPACK_IMPORTED_MODULE_15__ = __webpack_require__(9988);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
function P({ModelLifeCycle:e}){return e?.Stage==="Production"&&e.StageStatus==="Approved"}function w(e){return e.find(P)?.ModelPackageArn??""}async function $(e,o){for(let{ModelPackageArn:t,ModelApprovalStatus:r,ModelPackageStatus:c}of o){if(r!=="Approved"||c!=="Completed"||t===void 0)continue;let n=await (0,_chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_2__.b)(e,t);if((0,_chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_2__.j)(n)!==void 0)return n}}async function y(e,o){let t=await (0,_chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_2__.d)(e,o.group),r=w(t);switch(o.select){case"exact":return{found:await (0,_chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_2__.b)(e,o.arn??""),production:r};case"production":return{found:r===""?void 0:await (0,_chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_2__.b)(e,r),production:r};case"newest-approved":return{found:await $(e,t),production:r}}}async function D(e,o){let{select:t}=e,r=e["model-package-arn"],c=t==="exact"?"model-package-arn":"model-package-group";if(e[c]===void 0)throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_6__.a({code:"InvalidInput",resource:c,cause:`Input \`${c}\` is needed with \`select: ${t}\` and was not given`});let n=r!==void 0&&t==="exact"?(0,_chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_2__.a)(r).group:e["model-package-group"]??"",v=(0,_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_3__._)("resolve-model",e,o).service(_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_3__.y),{found:a,production:M}=await y(v,{select:t,arn:r,group:n});if(o.output("production-arn",M),a===void 0){let g=t==="production"?"runs in production":"was approved by the gate";return o.logger.notice(`No package of the group ${n} ${g} yet.`,"resolve-model"),o.summary.text(`No package of the group ${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_5__.e)(n)} ${g} yet.`),"none"}let s=(0,_chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_2__.j)(a),u=a.ModelPackageArn??"";return o.output("model-package-arn",u),o.output("version",String(a.ModelPackageVersion??"")),o.output("approval-status",a.ModelApprovalStatus??""),o.output("artifact-sha256",s?.artifactSha256??""),o.output("image-digest",s?.imageDigest??""),o.logger.info(`${u}: ${a.ModelApprovalStatus}, ${a.ModelLifeCycle?.Stage??"no stage"} ${a.ModelLifeCycle?.StageStatus??""}`.trim()),o.summary.text(`Model package: ${(0,_chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_5__.e)(u)} (${t})`),""}


/***/ }),

/***/ 7732:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ A),
/* harmony export */   b: () => (/* binding */ v),
/* harmony export */   c: () => (/* binding */ _),
/* harmony export */   d: () => (/* binding */ D),
/* harmony export */   e: () => (/* binding */ V),
/* harmony export */   f: () => (/* binding */ z),
/* harmony export */   g: () => (/* binding */ G),
/* harmony export */   h: () => (/* binding */ te),
/* harmony export */   i: () => (/* binding */ O),
/* harmony export */   j: () => (/* binding */ K),
/* harmony export */   k: () => (/* binding */ Q)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8995);
/* harmony import */ var _chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(610);
/* harmony import */ var _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(7641);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(7598);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
var u=class extends (0,_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.z)(_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.A,_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.B,"ListModelPackages",_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.n){};function A(t){let e=/^arn:[^:]+:sagemaker:([^:]+):(\d{12}):model-package\/([^/]+)\/(\d+)$/.exec(t);if(e===null)throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_2__.a({code:"InvalidInput",resource:"model-package-arn",cause:`Input \`model-package-arn\` is ${JSON.stringify(t)}, but must be the ARN of one version, arn:...:model-package/GROUP/VERSION`});let[,a="",r="",o="",i=""]=e;return{region:a,account:r,group:o,version:Number(i)}}async function v(t,e){return t.send(new _chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.C({ModelPackageName:e}),{resource:e})}async function _(t,e,a){let{region:r,account:o}=A(e),i=await (0,_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.H)({read:()=>v(t,e),done:({ModelPackageStatus:s})=>!["Pending","InProgress"].includes(s??""),...a,onDeadline:()=>(0,_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.I)({resource:e,region:r,account:o,where:"The package was still being registered",resume:"re-run this job to wait again"})});if(i.ModelPackageStatus==="Completed")return i;let n=[...i.ModelPackageStatusDetails?.ValidationStatuses??[],...i.ModelPackageStatusDetails?.ImageScanStatuses??[]].find(({FailureReason:s})=>s)?.FailureReason;throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_2__.a({code:"PackageNotReady",account:o,region:r,resource:e,cause:`The package is ${i.ModelPackageStatus}${n===void 0?"":`: ${n}`}`})}async function D(t,e){let a=[],r;do{let o=await t.send(new u({ModelPackageGroupName:e,SortBy:"CreationTime",SortOrder:"Descending",MaxResults:100,...r===void 0?{}:{NextToken:r}}),{resource:e});a.push(...o.ModelPackageSummaryList??[]),r=o.NextToken}while(r!==void 0);return a}async function V(t,e,a){let o=(await D(t,e)).find(({ModelPackageArn:i,ModelLifeCycle:c})=>c?.Stage==="Production"&&c.StageStatus==="Approved"&&!(0,_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.F)(i,a));return o?.ModelPackageArn===void 0?void 0:v(t,o.ModelPackageArn)}async function z(t,e){let a=e.ModelMetrics?.ModelQuality?.Statistics?.S3Uri;return a===void 0?{}:(0,_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.U)(await (0,_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.T)(t,a))}var m={run:"gate-run",commit:"gate-commit",rulesSha256:"gate-rules-sha256",artifactSha256:"gate-artifact-sha256",artifactEtag:"gate-artifact-etag",imageDigest:"gate-image-digest"};function O(t){return Object.fromEntries(Object.entries(m).map(([e,a])=>[a,t[e].replace(/[^A-Za-z0-9 _.:/=+@-]/g,"-").slice(0,256)]).filter(([,e])=>e!==""))}function K(t){let e=t.CustomerMetadataProperties??{};if(!(e[m.rulesSha256]===void 0||e[m.artifactSha256]===void 0))return Object.fromEntries(Object.entries(m).map(([a,r])=>[a,e[r]??""]))}function Q(t,e){let a=r=>O({...r,run:"",commit:""});return t!==void 0&&JSON.stringify(a(t))===JSON.stringify(a(e))}function E(t){return(t.InferenceSpecification?.Containers??[]).map(e=>e.ModelDataUrl??e.ModelDataSource?.S3DataSource?.S3Uri).filter(e=>e!==void 0)}function G(t){let e=(t.InferenceSpecification?.Containers??[]).map(({ImageDigest:a})=>a);return e.length===0||e.some(a=>a===void 0||a==="")?void 0:e.join(" ")}async function N(t,e,a){let{bucket:r,key:o}=(0,_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.S)(e),i=await t.send(new _chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.R({Bucket:r,Key:o}),{resource:e,signal:a}),c=(0,node_crypto__WEBPACK_IMPORTED_MODULE_3__.createHash)("sha256"),n=0;for await(let s of i.Body)c.update(s),n+=s.length;if(i.ContentLength!==void 0&&n!==i.ContentLength)throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_2__.a({code:"NetworkError",resource:e,cause:`Only ${n} of ${i.ContentLength} bytes of ${e} arrived`,hint:"Re-run this job"});return{sha256:c.digest("hex"),etag:(i.ETag??"").replaceAll('"',""),bytes:n}}async function te(t,e,a){let r=E(e);if(r.length===0)throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_2__.a({code:"EvidenceMissing",resource:e.ModelPackageArn??"",cause:"The package has no model archive",hint:"Register it with an inference specification whose containers name their model data"});let o=[];for(let n of r)o.push(await N(t,n,a));let i=(e.InferenceSpecification?.Containers??[]).map(n=>(n.ModelDataETag??n.ModelDataSource?.S3DataSource?.ETag)?.replaceAll('"',""));o.forEach((n,s)=>{let g=i[s];if(g!==void 0&&g!==""&&g!==n.etag)throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_2__.a({code:"ArtifactChanged",resource:r[s]??"",cause:`${r[s]} was changed after registration: ETag ${g} was recorded, ${n.etag} was found`,hint:"Build the model again"})});let[c]=o;return{sha256:o.length===1&&c!==void 0?c.sha256:(0,_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_1__.Y)(o.map(n=>n.sha256).join(`
`)),etag:o.map(({etag:n})=>n).join("-"),imageDigest:G(e),uris:r,bytes:o.reduce((n,{bytes:s})=>n+s,0)}}


/***/ }),

/***/ 4845:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   a: () => (/* binding */ m),
/* harmony export */   b: () => (/* binding */ y),
/* harmony export */   c: () => (/* binding */ x)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8995);
/* harmony import */ var _chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(7732);
/* harmony import */ var _chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(610);
/* harmony import */ var _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(7641);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
function h(e){let{arn:a,gate:t}=e,i=[];return e.status!=="Completed"&&i.push({code:"PackageNotReady",resource:a,cause:`The package is ${e.status}, not Completed`}),e.approval!=="Approved"&&i.push({code:"NotApproved",resource:a,cause:`The package is ${e.approval}, not Approved`,hint:"Run the gate on it (workflow model-gate)"}),t===void 0?(i.push({code:"NotGated",resource:a,cause:`The package ${e.approval==="Approved"?"was approved by hand: it ":""}carries no gate record`,hint:"Only what the gate has judged is deployed; run the gate on it (workflow model-gate)"}),i):(t.artifactSha256!==void 0&&e.artifactSha256!==t.artifactSha256&&i.push({code:"ArtifactChanged",resource:a,logicalId:"artifact-sha256",cause:`The model archive is not the one that was gated: expected SHA-256 ${t.artifactSha256}, found ${e.artifactSha256??"none"}`,hint:"Somebody replaced the archive after the gate; train again, or restore its former version in the bucket"}),t.imageDigest!==void 0&&e.imageDigest!==t.imageDigest&&i.push({code:"ArtifactChanged",resource:a,logicalId:"image-digest",cause:`The inference image is not the one that was gated: expected ${t.imageDigest}, found ${e.imageDigest??"none"}`,hint:"Gate the package again"}),i)}function r(e){let a=h(e);if(a.length>0)throw new _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_3__.a(a)}function m({ModelLifeCycle:e}){return{stage:e?.Stage,status:e?.StageStatus,description:e?.StageDescription}}async function y(e,a){let t=await (0,_chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_1__.b)(e,a),i=(0,_chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_1__.j)(t);return r({arn:a,status:t.ModelPackageStatus??"",approval:t.ModelApprovalStatus??"",gate:i&&{artifactSha256:void 0,imageDigest:i.imageDigest===""?void 0:i.imageDigest},artifactSha256:void 0,imageDigest:(0,_chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_1__.g)(t)}),{arn:a,gate:i,lifecycle:m(t),found:t}}async function x(e,a,t){let i=await y(e.service(_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_2__.y),a),{found:f,gate:l}=i,u=await (0,_chunk_QTGGPIZ3_mjs__WEBPACK_IMPORTED_MODULE_1__.h)(e.service(_chunk_JWXD6RLV_mjs__WEBPACK_IMPORTED_MODULE_2__.Q),f,t);return r({arn:a,status:"Completed",approval:"Approved",gate:{artifactSha256:l.artifactSha256,imageDigest:void 0},artifactSha256:u.sha256,imageDigest:void 0}),i}


/***/ })

};
