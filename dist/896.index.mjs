const m=896,n=[896],r={6896:((d,o,_)=>{_.d(o,{readYaml:()=>E.b});var t=_(8995),E=_(1003),e=_(9988);const s=(0,t.createRequire)(import.meta.url)})};export{m as id,n as ids,r as modules};
